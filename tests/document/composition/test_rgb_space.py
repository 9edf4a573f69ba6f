"""Profiles of matrix and curves in floats, held against Little CMS, which Pillow offers in 8 bits."""

import struct

import numpy as np
import pytest
from acetate.document.composition.colour import srgb_profile, to_srgb
from acetate.document.composition.rgb_space import gray_of, space_of, srgb
from PIL import Image


@pytest.fixture
def cube():
    levels = np.linspace(0, 255, 10).round().astype(np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(10, 100, 3)


CURVES = {
    "gamma": struct.pack(">4s4xIH2x", b"curv", 1, round(2.2 * 256)),
    "linear": struct.pack(">4s4xI", b"curv", 0),
    "table": struct.pack(">4s4xI5H", b"curv", 5, 0, 4000, 16000, 36000, 65535),
    "power": struct.pack(">4s4xH2xi", b"para", 0, round(1.8 * 65536)),
    "srgb": struct.pack(
        ">4s4xH2x5i", b"para", 3, *(round(v * 65536) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
    ),
}


@pytest.mark.parametrize("curve", CURVES)
def test_every_kind_of_tone_curve_gives_the_colours_of_little_cms(curve, cube, profile):
    icc = profile(curve=CURVES[curve])
    expected = np.asarray(to_srgb(Image.fromarray(cube), icc).image).astype(int)
    planes = np.moveaxis(cube, -1, 0).astype(np.float32) / 255
    found = np.rint(np.moveaxis(space_of(icc).converted(planes, srgb()), 0, -1) * 255)
    assert np.abs(found - expected).max() <= 1


def test_adobe_rgb_holds_srgb_and_not_the_other_way_round(profile):
    adobe = space_of(profile())
    assert adobe.holds(srgb())
    assert not srgb().holds(adobe)


def test_sixteen_bits_go_into_a_space_and_back_almost_unmoved(profile):
    values = np.random.default_rng(0).integers(0, 65536, (3, 40, 50)).astype(np.float32) / 65535
    adobe = space_of(profile())
    back = adobe.converted(srgb().converted(values, adobe), srgb())
    assert np.abs(back - values).max() * 65535 <= 32  # an eighth of a level of 8 bits
    assert np.abs(srgb().converted(values, srgb()) - values).max() * 65535 <= 2


def test_a_gray_profile_is_its_curve_and_an_rgb_profile_is_none(profile):
    curve = gray_of(profile(curve=CURVES["power"], space=b"GRAY"))
    assert curve.decoded(np.array([0, 0.5, 1], np.float32)).tolist() == pytest.approx([0, 0.5**1.8, 1], abs=1e-4)
    assert gray_of(srgb_profile()) is None
    assert space_of(profile(space=b"GRAY")) is None


@pytest.mark.parametrize("size", [0, 100, 200])
def test_a_profile_that_was_cut_off_is_none(size):
    assert space_of(srgb_profile()[:size]) is None


def test_curves_that_are_unknown_and_primaries_that_are_one_colour_are_none(profile):
    assert space_of(srgb_profile().replace(b"para", b"????")) is None
    assert space_of(profile(primaries=((0.3, 0.3, 0.3),) * 3)) is None
