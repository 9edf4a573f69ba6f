"""16 bits and light into sRGB: exactly where a formula says how, named where 8 bits have to do."""

import struct

import numpy as np
import pytest
from acetate.document.composition.colour import FROM_CMYK, FROM_LAB, UNUSABLE, srgb_profile, to_srgb
from acetate.document.composition.deep_colour import REDUCED, from_light, from_srgb16, to_srgb16
from PIL import Image


@pytest.fixture
def ramp():
    """1024 levels of each colour, apart from one another."""
    values = np.linspace(0, 65535, 1024).round().astype(np.uint16)
    return np.stack([values, values[::-1], np.roll(values, 300)])[:, None]


def table_profile():
    """A profile that is a table (ICC.1:2022, 10.10: lut16Type) from RGB to XYZ: black to white through two points a side."""
    corners = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), axis=-1).reshape(8, 3)
    xyz = corners @ np.array([[0.436, 0.222, 0.014], [0.385, 0.717, 0.097], [0.143, 0.061, 0.714]])
    head = struct.pack(">4s4x3Bx9i2H", b"mft2", 3, 3, 2, 65536, 0, 0, 0, 65536, 0, 0, 0, 65536, 2, 2)
    curves = struct.pack(">6H", *(0, 65535) * 3)
    return head + curves + np.round(xyz * 32768).astype(">u2").tobytes() + curves


def test_srgb_and_no_profile_change_no_number_and_say_nothing(ramp):
    for icc in (None, srgb_profile()):
        found = to_srgb16(ramp, "RGB", icc)
        assert np.array_equal(found.rgb, ramp)
        assert found.notes == ()


@pytest.mark.parametrize(("mode", "note"), [("LAB", FROM_LAB), ("CMYK", FROM_CMYK)])
def test_other_colour_modes_come_back_as_the_levels_they_were_made_from(ramp, mode, note):
    found = to_srgb16(from_srgb16(ramp, mode, None), mode, None)
    visible = 32 if mode == "LAB" else 0  # Lab has few steps for dark colours: a tenth of a level of 8 bits
    assert np.abs(found.rgb.astype(int) - ramp).max() <= visible
    assert found.notes == (note,)


def test_gray_becomes_three_equal_colours_and_comes_back(ramp):
    found = to_srgb16(ramp[:1], "L", None)
    assert np.array_equal(found.rgb, np.repeat(ramp[:1], 3, axis=0))
    assert np.abs(from_srgb16(found.rgb, "L", None).astype(int) - ramp[:1]).max() <= 1


def test_an_rgb_profile_keeps_all_levels_and_its_colours_are_those_of_little_cms(ramp, profile):
    icc = profile()
    found = to_srgb16(ramp, "RGB", icc)
    assert found.notes[0].startswith("colours were converted from the profile")
    grays = to_srgb16(np.repeat(ramp[:1], 3, axis=0), "RGB", icc).rgb
    assert len(np.unique(grays[0])) >= 1023  # the two darkest of a pure gamma meet
    bytes_ = np.ascontiguousarray(np.moveaxis((ramp + 128) // 257, 0, -1).astype(np.uint8))
    theirs = np.moveaxis(np.asarray(to_srgb(Image.fromarray(bytes_), icc).image), -1, 0)
    ours = to_srgb16(np.moveaxis(bytes_, -1, 0) * np.uint16(257), "RGB", icc).rgb
    assert np.abs(np.rint(ours / 257) - theirs).max() <= 1


def test_a_gray_profile_keeps_all_levels_both_ways(ramp, profile):
    icc = profile(curve=struct.pack(">4s4xIH2x", b"curv", 1, round(1.8 * 256)), space=b"GRAY")
    found = to_srgb16(ramp[:1], "L", icc)
    assert len(np.unique(found.rgb[0])) >= 1023
    assert np.abs(from_srgb16(found.rgb, "L", icc).astype(int) - ramp[:1]).max() <= 64  # where the curve is flat


def test_a_profile_of_tables_is_applied_to_8_bits_and_that_is_said(ramp, profile):
    icc = profile(further={b"A2B0": table_profile()})
    found = to_srgb16(ramp, "RGB", icc)
    assert found.rgb.dtype == np.uint8
    assert found.notes[1] == REDUCED
    white = to_srgb16(np.full((3, 1, 1), 65535, np.uint16), "RGB", icc).rgb
    assert np.abs(white.astype(int) - 255).max() <= 2


def test_a_profile_of_another_mode_is_passed_over_and_said(ramp):
    found = to_srgb16(ramp[:1], "L", srgb_profile())
    assert np.array_equal(found.rgb[0], ramp[0])
    assert found.notes == (UNUSABLE,)


def test_light_goes_by_the_curve_of_srgb_and_what_is_brighter_than_white_is_counted():
    light = np.array([[[0, 0.0031308, 0.2140411, 1, 4, np.nan, -1, np.inf]]], np.float32)
    values, cut = from_light(light, None)
    assert (values[0, 0] / 65535).tolist() == pytest.approx([0, 0.04045, 0.5, 1, 1, 0, 0, 1], abs=5e-5)
    assert cut == 3 / 8  # 4, -1 and infinity
