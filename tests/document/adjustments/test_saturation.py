import numpy as np
from acetate.document.adjustments import adjustment


def changed(settings, *colours):
    before = np.array(colours, np.float32).T[:, None] / 255
    return np.rint(adjustment("hue/saturation", settings)(before)[:, 0].T * 255).tolist()


def master(hue=0, saturation=0, lightness=0, **more):
    return {"hue": hue, "saturation": saturation, "lightness": lightness, **more}


def test_a_third_of_a_turn_makes_red_green():
    assert changed(master(hue=120), (255, 0, 0), (200, 100, 50)) == [[0, 255, 0], [50, 200, 100]]


def test_without_saturation_a_colour_is_as_gray_as_its_extremes_are_far_from_black_and_white():
    assert changed(master(saturation=-100), (200, 100, 50)) == [[125, 125, 125]]


def test_half_more_saturation_doubles_the_distance_from_gray():
    assert changed(master(saturation=50), (140, 120, 100)) == [[160, 120, 80]]


def test_lightness_goes_towards_white_or_black():
    assert changed(master(lightness=50), (200, 100, 0)) == [[228, 178, 128]]
    assert changed(master(lightness=-50), (200, 100, 0)) == [[100, 50, 0]]


def test_colorizing_gives_all_colours_one_hue():
    assert changed(master(hue=240, saturation=100, colorize=True), (100, 100, 100), (255, 255, 255)) == [
        [0, 0, 200],
        [255, 255, 255],
    ]


def test_a_range_changes_its_own_hues_only_and_fades_out():
    """Reds: whole from 345 to 15 degrees, nothing from 45 on. Orange, at 30 degrees, takes half."""
    ranges = [[[315, 345, 15, 45], 0, -100, 0]]
    red, orange, green, gray = changed(master(ranges=ranges), (200, 0, 0), (200, 100, 0), (0, 200, 0), (90, 90, 90))
    assert (red, green, gray) == ([100, 100, 100], [0, 200, 0], [90, 90, 90])
    assert orange == [150, 100, 50]


def test_the_lightness_of_a_range_leaves_gray_alone():
    ranges = [[[315, 345, 15, 45], 0, 0, 100]]
    assert changed(master(ranges=ranges), (200, 0, 0), (90, 90, 90)) == [[200, 200, 200], [90, 90, 90]]
