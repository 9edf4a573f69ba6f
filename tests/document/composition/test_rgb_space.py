"""Profiles of matrix and curves in floats, held against Little CMS, which Pillow offers in 8 bits."""

import struct

import numpy as np
import pytest
from acetate.document.composition.colour import srgb_profile, to_srgb
from acetate.document.composition.rgb_space import gray_of, space_of, srgb
from PIL import Image

ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
"""Adobe RGB (1998), its primaries under D50 (annex C of its specification)."""
GAMMA = struct.pack(">4s4xIH", b"curv", 1, round(2.19921875 * 256)) + bytes(2)


def profile(primaries=ADOBE, curve=GAMMA, space=b"RGB "):
    """An ICC profile of these columns and this tone curve, as little as Little CMS takes."""
    xyz = [struct.pack(">4s4x3i", b"XYZ ", *(round(value * 65536) for value in column)) for column in primaries]
    keys = [b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"] if space == b"RGB " else [b"kTRC"]
    contents = [*xyz, curve, curve, curve] if space == b"RGB " else [curve]
    keys, contents = [*keys, b"wtpt"], [*contents, struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)]
    head = bytearray(128)
    head[8:12], head[12:24], head[36:40] = bytes([2, 64, 0, 0]), b"mntr" + space + b"XYZ ", b"acsp"
    head[68:80] = struct.pack(">3i", 63190, 65536, 54061)
    table, offset = struct.pack(">I", len(keys)), 132 + 12 * len(keys)
    for key, content in zip(keys, contents, strict=True):
        table += struct.pack(">4sII", key, offset, len(content))
        offset += len(content)
    whole = bytes(head) + table + b"".join(contents)
    return struct.pack(">I", len(whole)) + whole[4:]


@pytest.fixture
def cube():
    levels = np.linspace(0, 255, 10).round().astype(np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(10, 100, 3)


CURVES = {
    "gamma": GAMMA,
    "linear": struct.pack(">4s4xI", b"curv", 0),
    "table": struct.pack(">4s4xI5H", b"curv", 5, 0, 4000, 16000, 36000, 65535),
    "power": struct.pack(">4s4xH2xi", b"para", 0, round(1.8 * 65536)),
    "srgb": struct.pack(">4s4xH2x5i", b"para", 3, *(round(v * 65536) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))),
}


@pytest.mark.parametrize("curve", CURVES)
def test_every_kind_of_tone_curve_gives_the_colours_of_little_cms(curve, cube):
    icc = profile(curve=CURVES[curve])
    expected = np.asarray(to_srgb(Image.fromarray(cube), icc).image).astype(int)
    planes = np.moveaxis(cube, -1, 0).astype(np.float32) / 255
    found = np.rint(np.moveaxis(space_of(icc).converted(planes, srgb()), 0, -1) * 255)
    assert np.abs(found - expected).max() <= 1


def test_adobe_rgb_holds_srgb_and_not_the_other_way_round():
    adobe = space_of(profile())
    assert adobe.holds(srgb())
    assert not srgb().holds(adobe)


def test_sixteen_bits_go_into_a_space_and_back_almost_unmoved():
    values = np.random.default_rng(0).integers(0, 65536, (3, 40, 50)).astype(np.float32) / 65535
    adobe = space_of(profile())
    back = adobe.converted(srgb().converted(values, adobe), srgb())
    assert np.abs(back - values).max() * 65535 <= 32  # an eighth of a level of 8 bits
    assert np.abs(srgb().converted(values, srgb()) - values).max() * 65535 <= 2


def test_a_gray_profile_is_its_curve_and_an_rgb_profile_is_none():
    curve = gray_of(profile(curve=CURVES["power"], space=b"GRAY"))
    assert curve.decoded(np.array([0, 0.5, 1], np.float32)).tolist() == pytest.approx([0, 0.5**1.8, 1], abs=1e-4)
    assert gray_of(srgb_profile()) is None
    assert space_of(profile(space=b"GRAY")) is None


@pytest.mark.parametrize(
    "damaged",
    [b"", srgb_profile()[:100], srgb_profile()[:200], srgb_profile().replace(b"para", b"????"), profile(primaries=((0, 0, 0),) * 3)],
)
def test_a_damaged_profile_is_none(damaged):
    assert space_of(damaged) is None
