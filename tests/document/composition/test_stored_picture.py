"""What a file stores as its look is the truth where we draw it otherwise, and ours is kept where not."""

import numpy as np
import pytest
from acetate.document import Document, Group, Layer, compose, flatten
from acetate.document.composition.stored_picture import difference, judged, with_change


def scene(noise):
    return Document(20, 16, (Layer(noise(16, 20), name="a"), Layer(noise(6, 6), 4, 4, "b")))


def test_the_same_picture_differs_nowhere_whatever_hides_under_alpha_0(noise):
    document = scene(noise)
    stored = compose(document)
    stored[stored[..., 3] == 0] = (255, 0, 255, 0)
    assert difference(document.layers, stored) == 0
    assert judged(document, stored) is document


@pytest.mark.parametrize(("height", "width"), [(16, 20), (700, 9000), (64, 1), (1, 300)])
def test_the_share_that_differs_is_found_on_small_and_large_canvases(height, width):
    stored = np.zeros((height, width, 4), np.uint8)
    stored[:, : width // 4, :] = (255, 0, 0, 255)
    assert difference((), stored) == pytest.approx((width // 4) / width, abs=0.001)


def test_a_document_made_from_another_does_not_look_like_the_others_file(noise):
    document = judged(scene(noise), np.full((16, 20, 4), 255, np.uint8))
    assert np.array_equal(flatten(document), np.full((16, 20, 4), 255, np.uint8))
    changed = Document(document.width, document.height, document.layers[1:])
    assert np.array_equal(flatten(changed), compose(changed))


@pytest.mark.parametrize("on_top", [True, False])
def test_a_new_layer_changes_the_stored_picture_in_its_box_only(noise, on_top):
    before = judged(scene(noise), np.random.default_rng(1).integers(0, 256, (16, 20, 4), np.uint8))
    layer = Layer(np.full((5, 5, 4), (9, 9, 9, 255), np.uint8), 17, 2, "new")
    after = Document(20, 16, (*before.layers, layer) if on_top else (layer, Group("g", before.layers)))
    picture = with_change(before, after, layer.box, layer if on_top else None)
    kept = np.ones((16, 20), bool)
    kept[2:7, 17:] = False
    assert np.array_equal(picture[kept], before.picture[kept])
    assert not np.array_equal(picture, before.picture)
    if on_top:
        assert (picture[2:7, 17:] == (9, 9, 9, 255)).all()
