import numpy as np
import pytest
from acetate.document.composition.colour import from_srgb, srgb_profile, to_srgb
from PIL import Image, ImageCms


@pytest.fixture
def picture():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))


def linear_profile():
    """A profile with sRGB's primaries whose values are linear light, made from the sRGB one by its tone curves."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132], "big")
    for entry in range(count):
        at = 132 + 12 * entry
        if profile[at : at + 4] in (b"rTRC", b"gTRC", b"bTRC"):
            offset = int.from_bytes(profile[at + 4 : at + 8], "big")
            profile[offset : offset + 16] = b"para" + bytes(8) + (1 << 16).to_bytes(4, "big")  # y = x ** 1.0
    return bytes(profile)


def test_the_profile_that_files_carry_is_the_same_every_time():
    first = srgb_profile()
    srgb_profile.cache_clear()
    assert srgb_profile() == first


def test_an_srgb_profile_changes_no_pixel_and_says_nothing(picture):
    converted = to_srgb(picture, srgb_profile())
    assert np.array_equal(np.asarray(converted.image), np.asarray(picture))
    assert converted.note == ""


def test_a_profile_that_only_calls_itself_srgb_is_applied_and_said():
    gray = Image.new("RGB", (1, 1), (55, 55, 55))
    converted = to_srgb(gray, linear_profile())
    assert converted.image.getpixel((0, 0)) == pytest.approx((128, 128, 128), abs=2)
    assert "converted from the profile" in converted.note


def test_a_broken_profile_is_passed_over_and_said(picture):
    converted = to_srgb(picture, b"no profile at all")
    assert np.array_equal(np.asarray(converted.image), np.asarray(picture))
    assert "could not be used" in converted.note


def test_a_profile_that_opens_but_cannot_be_computed_with_is_passed_over_and_said(picture):
    damaged = srgb_profile().replace(b"para", b"????")
    converted = to_srgb(picture, damaged)
    assert np.array_equal(np.asarray(converted.image), np.asarray(picture))
    assert "could not be used" in converted.note
    assert np.array_equal(np.asarray(from_srgb(picture, "RGB", damaged)), np.asarray(picture))


def test_a_profile_of_another_colour_space_is_not_applied(picture):
    assert "could not be used" in to_srgb(picture.convert("L"), srgb_profile()).note


@pytest.mark.parametrize("mode", ["CMYK", "LAB"])
def test_other_colour_modes_come_back_as_the_colours_they_were_made_from(mode):
    colours = Image.new("RGB", (4, 1))
    for x, colour in enumerate([(200, 40, 40), (40, 160, 60), (60, 60, 200), (128, 128, 128)]):
        colours.putpixel((x, 0), colour)
    back = to_srgb(from_srgb(colours, mode, None), None)
    tolerance = 8 if mode == "LAB" else 0  # a step of 8-bit Lab is several levels of dark red
    assert np.abs(np.asarray(back.image).astype(int) - np.asarray(colours)).max() <= tolerance
    assert back.note.startswith("colours were converted from")


def test_srgb_goes_into_a_profile_and_back(picture):
    dark = picture.point(lambda value: value // 2 + 60)
    back = to_srgb(from_srgb(dark, "RGB", linear_profile()), linear_profile()).image
    assert np.abs(np.asarray(back).astype(int) - np.asarray(dark)).max() <= 4
