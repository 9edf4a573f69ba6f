import numpy as np
import pytest
from acetate.document import PASS_THROUGH, Document, Group, Layer, Mask, compose
from acetate.document.adjustment import Adjustment
from acetate.document.composition.compose import BAND


def flat(*rgba, **look):
    return Layer(np.full((BAND + 2, 3, 4), rgba, np.uint8), **look)


def seen(*layers):
    """The last pixel of the second row, and that of the last one, which lies in another band."""
    picture = compose(Document(3, BAND + 2, layers))
    assert picture[1, 2].tolist() == picture[-1, 2].tolist()
    return picture[1, 2].tolist()


def test_all_that_lies_below_is_changed_and_keeps_its_alpha():
    assert seen(flat(200, 100, 0, 128), Adjustment(kind="invert")) == [55, 155, 255, 128]


def test_what_lies_above_is_not_changed():
    assert seen(Adjustment(kind="invert"), flat(200, 100, 0, 255)) == [200, 100, 0, 255]


def test_opacity_and_mode_say_how_far_it_shows():
    assert seen(flat(200, 100, 0, 255), Adjustment(kind="invert", opacity=0.2)) == [171, 111, 51, 255]
    assert seen(flat(200, 100, 0, 255), Adjustment(kind="invert", blend_mode="darken")) == [55, 100, 0, 255]
    assert seen(flat(200, 100, 0, 255), Adjustment(kind="invert", visible=False)) == [200, 100, 0, 255]


def test_a_mask_says_where_it_shows():
    half = Mask(np.full((BAND + 2, 1), 51, np.uint8), x=2, outside=0)
    picture = compose(Document(3, BAND + 2, (flat(200, 100, 0, 255), Adjustment(kind="invert", mask=half))))
    assert picture[1, 1:].tolist() == [[200, 100, 0, 255], [171, 111, 51, 255]]


def test_a_normal_group_is_changed_alone_and_a_pass_through_group_lets_it_through():
    inside = (Adjustment(kind="invert"),)
    assert seen(flat(200, 100, 0, 255), Group("g", inside)) == [200, 100, 0, 255]
    assert seen(flat(200, 100, 0, 255), Group("g", inside, blend_mode=PASS_THROUGH)) == [55, 155, 255, 255]
    assert seen(flat(9, 9, 9, 255), Group("g", (flat(200, 100, 0, 255), *inside))) == [55, 155, 255, 255]


def test_a_clipped_one_changes_its_base_alone():
    base = flat(200, 100, 0, 128)
    clipped = Adjustment(kind="invert", clipped=True)
    assert seen(flat(0, 0, 0, 255), base, clipped) == [28, 78, 128, 255]


def test_what_is_clipped_to_one_lies_under_its_mask():
    half = Mask(np.zeros((0, 0), np.uint8), outside=51)
    base, over = Adjustment(kind="invert", mask=half), Adjustment(kind="threshold", settings={"level": 128}, clipped=True)
    assert seen(flat(200, 100, 0, 255), base, over) == [211, 131, 51, 255]


def test_it_has_no_pixels_and_no_unknown_change():
    with pytest.raises(ValueError, match="the adjustment 'a' has pixels; it cannot have any"):
        Adjustment(np.zeros((1, 1, 4), np.uint8), name="a")
    with pytest.raises(ValueError, match="the adjustment is 'sepia'"):
        Adjustment(kind="sepia")
