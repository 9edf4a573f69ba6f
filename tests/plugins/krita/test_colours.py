import struct

import pytest
from acetate.plugins.krita.colours import SRGB, WIRE, Colour, encoder, is_wire, linear, native, transfer_of

LINEAR = "sRGB-elle-V2-g10.icc"
BGRA = bytes((0, 1, 2, 3, 128, 200, 255, 254))
"""Two pixels."""


def test_the_wires_own_colour_space_needs_no_conversion():
    assert is_wire(WIRE)
    assert encoder(WIRE)(BGRA) == BGRA


@pytest.mark.parametrize("profile", [SRGB, "sRGB built-in", "sRGB IEC61966-2.1", "sRGB-elle-V4-srgbtrc.icc"])
def test_the_usual_names_of_srgb_are_known(profile):
    assert transfer_of(profile) == "srgb"


@pytest.mark.parametrize("profile", [LINEAR, "scRGB (linear)", "krita-2.5, lcms sRGB built-in with linear gamma TRC"])
def test_the_usual_names_of_linear_srgb_are_known(profile):
    assert transfer_of(profile) == "linear"


@pytest.mark.parametrize("profile", ["ClayRGB-elle-V2-g22.icc", "Rec2020-elle-V4-g10.icc", "WideRGB-elle-V2-g22.icc", ""])
def test_other_profiles_are_left_to_krita(profile):
    assert transfer_of(profile) is None
    assert encoder(Colour("RGBA", "U8", profile)) is None


@pytest.mark.parametrize(("model", "depth"), [("CMYKA", "U8"), ("GRAYA", "U16"), ("LABA", "U16"), ("RGBA", "F64")])
def test_other_models_and_depths_are_left_to_krita(model, depth):
    assert encoder(Colour(model, depth, SRGB)) is None


def test_16_bit_integers_are_the_same_values_in_the_same_order():
    words = struct.unpack("<8H", encoder(Colour("RGBA", "U16", SRGB))(BGRA))
    assert words == tuple(257 * value for value in BGRA)


def test_linear_integers_leave_alpha_as_it_is():
    words = struct.unpack("<8H", encoder(Colour("RGBA", "U16", LINEAR))(BGRA))
    wanted = [linear(value / 255) for value in BGRA]
    wanted[3], wanted[7] = BGRA[3] / 255, BGRA[7] / 255
    assert words == tuple(round(65535 * value) for value in wanted)


@pytest.mark.parametrize(("depth", "letter", "tolerance"), [("F32", "f", 1e-7), ("F16", "e", 5e-4)])
def test_floats_are_linear_light_and_red_comes_first(depth, letter, tolerance):
    values = struct.unpack(f"<8{letter}", encoder(Colour("RGBA", depth, LINEAR))(BGRA))
    blue, green, red, alpha = BGRA[:4]
    assert values[:4] == pytest.approx([linear(red / 255), linear(green / 255), linear(blue / 255), alpha / 255], abs=tolerance)


def test_the_transfer_function_meets_its_ends_and_its_knee():
    assert (linear(0), linear(1)) == (0, 1)
    assert linear(0.04045) == pytest.approx(((0.04045 + 0.055) / 1.055) ** 2.4, rel=1e-4)


DEEP = [
    ("RGBA", "U16", "rgba16"),
    ("RGBA", "F32", "rgbaf32"),
    ("RGBA", "F16", "rgbaf32"),
    ("GRAYA", "U16", "rgba16"),
    ("GRAYA", "F32", "rgbaf32"),
]


@pytest.mark.parametrize(("model", "depth", "format"), DEEP)
def test_a_deep_layers_own_numbers_go_over_the_wire_and_come_back(model, depth, format):
    letter, size = {"U16": ("H", 2), "F16": ("e", 2), "F32": ("f", 4)}[depth]
    channels = 4 if model == "RGBA" else 2
    values = [step * 60 if depth == "U16" else step / 8 for step in range(channels * 64)]
    data = struct.pack(f"<{len(values)}{letter}", *values)
    way = native(Colour(model, depth, "any.icc"))
    wire = way.to_wire(data)
    assert (way.format, len(wire)) == (format, 64 * (8 if format == "rgba16" else 16))
    assert way.from_wire(wire) == data
    first = struct.unpack_from("<4H" if format == "rgba16" else "<4f", wire)
    order = (2, 1, 0, 3) if (model, depth) == ("RGBA", "U16") else (0, 1, 2, 3) if model == "RGBA" else (0, 0, 0, 1)
    assert first == tuple(values[place] for place in order), "red comes first, gray is all three"
    assert size * channels * 64 == len(data)


def test_half_floats_end_where_they_end():
    way = native(Colour("RGBA", "F16", "any.icc"))
    assert struct.unpack("<4e", way.from_wire(struct.pack("<4f", 1e9, -1e9, 0.5, 1.0))) == (65504.0, -65504.0, 0.5, 1.0)


@pytest.mark.parametrize("colour", [("RGBA", "U8"), ("CMYKA", "U16"), ("LABA", "F32")])
def test_other_layers_go_through_srgb(colour):
    assert native(Colour(*colour, "any.icc")) is None
