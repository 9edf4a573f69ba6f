import numpy as np
import pytest
from acetate.document import resize
from acetate.document.resize import FILTERS


def edge():
    """White on the left, and transparent *black* on the right: the classic source of dark fringes."""
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[:, :8] = 255
    return rgba


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("size", [(37, 23), (5, 7)])
def test_transparent_neighbours_do_not_bleed_into_the_colour(filter, size):
    result = resize(edge(), *size, filter)
    seen = result[..., 3] > 0
    assert result.shape == (size[1], size[0], 4)
    assert seen.any()
    assert result[..., :3][seen].min() == 255


def test_an_opaque_picture_stays_opaque_and_in_range(noise):
    rgba = noise(9, 9)
    rgba[..., 3] = 255
    assert (resize(rgba, 20, 31)[..., 3] == 255).all()


@pytest.mark.parametrize("filter", FILTERS)
def test_a_flat_colour_stays_exactly_that_colour_under_any_alpha(filter, noise):
    rgba = noise(12, 12)
    rgba[..., :3] = (13, 177, 240)
    result = resize(rgba, 29, 17, filter)
    assert np.abs(result[..., :3].astype(int) - (13, 177, 240)).max() <= 1


def test_colour_under_alpha_zero_survives():
    rgba = np.full((8, 8, 4), (90, 60, 30, 0), np.uint8)
    assert resize(rgba, 3, 5)[2, 1].tolist() == [90, 60, 30, 0]


def test_the_same_size_is_a_copy(noise):
    rgba = noise(4, 5)
    result = resize(rgba, 5, 4)
    assert np.array_equal(result, rgba)
    assert not np.shares_memory(result, rgba)


def test_an_empty_layer_becomes_a_transparent_one():
    assert not resize(np.zeros((0, 0, 4), np.uint8), 3, 2).any()


def test_halving_averages_premultiplied_colour():
    rgba = np.array([[[255, 0, 0, 255], [0, 0, 255, 85]]], np.uint8)
    assert resize(rgba, 1, 1, "box")[0, 0].tolist() == [191, 0, 64, 170]


@pytest.mark.parametrize(("width", "height", "filter"), [(0, 4, "box"), (4, -1, "box"), (4, 4, "sinc")])
def test_wrong_sizes_and_filters_are_named(width, height, filter):
    with pytest.raises(ValueError, match=r"at least 1|must be one of nearest"):
        resize(edge(), width, height, filter)
