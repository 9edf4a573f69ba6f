import numpy as np
import pytest
from acetate.document.adjustments import adjustment


def changed(kind, settings, *colours):
    before = np.array(colours, np.float32).T[:, None] / 255
    return np.rint(adjustment(kind, settings)(before)[:, 0].T * 255).tolist()


def test_a_threshold_goes_by_brightness():
    """Green counts 0.59: 128 of it is 76."""
    assert changed("threshold", {"level": 76}, (0, 128, 0), (0, 127, 0)) == [[255] * 3, [0] * 3]


def test_a_channel_mixer_adds_shares_of_channels_and_a_constant():
    rows = [[50, 50, 0, 0], [0, 100, 0, 0], [0, 0, 0, 20]]
    assert changed("channel mixer", {"rows": rows}, (100, 200, 9)) == [[150, 200, 51]]


def test_a_monochrome_mixer_has_one_row():
    assert changed("channel mixer", {"rows": [[0, 100, 0, 0]]}, (100, 200, 9)) == [[200, 200, 200]]
    with pytest.raises(ValueError, match="it has one or three of four percentages"):
        adjustment("channel mixer", {"rows": [[1, 2]]})


def test_black_and_white_weighs_the_primary_and_the_secondary_colour():
    """(200, 120, 40): 40 gray, 80 of yellow, 80 of red."""
    settings = {"weights": [40, 60, 0, 0, 0, 0]}
    assert changed("black & white", settings, (200, 120, 40), (77, 77, 77)) == [[120] * 3, [77] * 3]


def test_a_tint_colours_the_gray_and_keeps_its_brightness():
    settings = {"weights": [40, 60, 40, 60, 20, 80], "tint": [225, 211, 179]}
    (red, green, blue) = changed("black & white", settings, (128, 128, 128))[0]
    assert red > green > blue
    assert 0.3 * red + 0.59 * green + 0.11 * blue == pytest.approx(128, abs=1)


def test_a_photo_filter_takes_away_what_its_gel_swallows():
    assert changed("photo filter", {"colour": [255, 0, 127.5], "density": 50, "luminosity": False}, (200, 200, 200)) == [
        [200, 100, 150]
    ]


def test_a_photo_filter_can_keep_the_brightness():
    red, green, blue = changed("photo filter", {"colour": [236, 138, 0], "density": 25, "luminosity": True}, (128, 128, 128))[0]
    assert red > 128 > blue
    assert 0.3 * red + 0.59 * green + 0.11 * blue == pytest.approx(128, abs=1)


def test_a_gradient_map_gives_each_brightness_its_colour():
    stops = [[0.0, 0, 0, 100], [0.5, 200, 100, 0], [1.0, 255, 255, 255]]
    assert changed("gradient map", {"stops": stops}, (0, 0, 0), (127.5,) * 3, (255, 255, 255)) == [
        [0, 0, 100],
        [200, 100, 0],
        [255, 255, 255],
    ]
