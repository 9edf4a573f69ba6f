import numpy as np
import pytest
from acetate.document.adjustments import ADJUSTMENTS, adjustment
from acetate.document.adjustments.tables import spline

PLAIN = [0, 255, 1.0, 0, 255]


def changed(kind, settings, *colours):
    """The colours, RGB in 0..255, after the adjustment."""
    before = np.array(colours, np.float32).T[:, None] / 255
    after = adjustment(kind, settings)(before)
    assert after.dtype == np.float32
    assert after.min() >= 0 <= 1 - after.max() + 1e-6
    return np.rint(after[:, 0].T * 255).tolist()


def test_inverting_gives_complements():
    assert changed("invert", {}, (0, 100, 255)) == [[255, 155, 0]]


def test_levels_of_a_channel_come_before_those_of_all():
    """Red 64 is stretched from 0..128 to 0..255, to 128; then all are halved."""
    settings = {"channels": [[0, 255, 1.0, 0, 127.5], [0, 128, 1.0, 0, 255], PLAIN, PLAIN]}
    assert changed("levels", settings, (64, 64, 255)) == [[64, 32, 128]]


def test_a_gamma_of_two_takes_the_square_root_of_what_lies_between_black_and_white():
    assert changed("levels", {"channels": [[51, 255, 2.0, 0, 255]]}, (51, 102, 255)) == [[0, 128, 255]]


def test_levels_upside_down_invert():
    assert changed("levels", {"channels": [[0, 255, 1.0, 255, 0]]}, (0, 100, 255)) == [[255, 155, 0]]


def test_a_curve_goes_through_its_points_and_is_level_beyond_them():
    settings = {"channels": [[[50, 20], [128, 160], [200, 240]], [], [], []]}
    assert changed("curves", settings, (50, 128, 200), (0, 10, 255)) == [[20, 160, 240], [20, 20, 240]]


def test_the_spline_is_the_natural_one():
    """Through 0, 1, 0 at equal distances: 1.5 t - 0.5 t^3 on the way up, without curvature at the ends."""
    t = np.array([0.25, 0.5, 0.75])
    assert spline((0, 1, 2), (0, 1, 0), t) == pytest.approx(1.5 * t - 0.5 * t**3)


def test_a_curve_drawn_by_hand_is_followed_point_by_point():
    points = [[place, 255 - place] for place in range(256)]
    assert changed("curves", {"channels": [points]}, (1, 77, 200)) == [[254, 178, 55]]


def test_one_stop_of_exposure_doubles_light():
    assert changed("exposure", {"exposure": 1, "offset": 0, "gamma": 1}, (100, 0, 255)) == [[137, 0, 255]]


def test_posterizing_leaves_so_many_levels():
    assert changed("posterize", {"levels": 2}, (0, 127, 128), (255, 3, 250)) == [[0, 0, 255], [255, 0, 255]]
    values = adjustment("posterize", {"levels": 5})(np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 1, -1))
    assert sorted({round(float(value), 3) for value in values.ravel()}) == [0, 0.25, 0.5, 0.75, 1]


def test_old_brightness_shifts_and_old_contrast_stretches_about_the_middle():
    assert changed("brightness/contrast", {"brightness": 20, "contrast": 0, "legacy": True}, (0, 100, 250)) == [[20, 120, 255]]
    assert changed("brightness/contrast", {"brightness": 0, "contrast": 50, "legacy": True}, (0, 100, 200)) == [[0, 72, 255]]
    assert changed("brightness/contrast", {"brightness": -20, "contrast": -50, "legacy": True}, (0, 255, 127)) == [[44, 171, 107]]


def test_brightness_keeps_black_and_white_and_is_undone_by_its_opposite():
    ends = changed("brightness/contrast", {"brightness": 60, "contrast": 0}, (0, 255, 100))
    assert ends[0][:2] == [0, 255]
    assert ends[0][2] == pytest.approx(100 * 2 ** (60 / 110), abs=1)
    assert changed("brightness/contrast", {"brightness": -60, "contrast": 0}, ends[0])[0] == pytest.approx([0, 255, 100], abs=1)


def test_contrast_moves_dark_and_bright_apart_and_keeps_the_middle():
    dark, bright, middle = changed("brightness/contrast", {"brightness": 0, "contrast": 80}, (63, 191, 127))[0]
    assert (dark, bright, middle) == (43, 211, 127)


def test_sixteen_bits_are_told_apart():
    before = np.linspace(0, 1, 65536, dtype=np.float32).reshape(1, 1, -1)
    after = adjustment("levels", {"channels": [[0, 255, 1.2, 0, 255]]})(before)
    assert len(np.unique(np.rint(after * 65535))) > 60_000


def test_what_is_no_adjustment_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="'sepia'; it must be one of black & white, brightness/contrast"):
        adjustment("sepia", {})
    with pytest.raises(ValueError, match="the parameters of 'invert' are"):
        adjustment("invert", {"amount": 3})
    assert len(ADJUSTMENTS) == 12
