"""Effects and blocks as they stand in the files of Photoshop: with `present` since CC 2015, without it before."""

import io

import numpy as np
import pytest
from acetate.document import compose, losses, read_bytes, write_bytes
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Tag
from psd_tools.psd.base import ByteElement, ShortIntegerElement
from psd_tools.psd.descriptor import Bool, Descriptor, DescriptorBlock2, Double, Enumerated, List, UnitFloat
from psd_tools.psd.tagged_blocks import ChannelBlendingRestrictionsSetting, TaggedBlock
from psd_tools.terminology import Unit

from tests.document.photoshop.made import SIZE, document_of, mark


def colour(red, green, blue):
    made = Descriptor(classID=b"RGBC")
    for key, value in zip((b"Rd  ", b"Grn ", b"Bl  "), (red, green, blue), strict=True):
        made[key] = Double(value)
    return made


def effect(kind, **values):
    """An enabled effect; keys of four characters, `_` for a space."""
    made = Descriptor(classID=kind)
    made[b"enab"] = Bool(True)
    for key, value in values.items():
        made[key.replace("_", " ").encode()] = value
    return made


def overlay(red=0, green=0, blue=200, opacity=100.0):
    return effect(b"SoFi", Md__=mode(), Clr_=colour(red, green, blue), Opct=percent(opacity))


def mode(code=b"Nrml"):
    return Enumerated(typeID=b"BlnM", enum=code)


def percent(value):
    return UnitFloat(value, Unit.Percent)


def pixels(value):
    return UnitFloat(value, Unit.Pixels)


def block(*effects, master=True):
    made = DescriptorBlock2(classID=b"null", version=0)
    made[b"masterFXSwitch"] = Bool(master)
    for one in effects:
        made[one.classID] = one
    return made


def kite(*, tag=Tag.OBJECT_BASED_EFFECTS_LAYER_INFO, data=None, box=(4, 4)):
    """A file with an opaque red layer at 4, 3, that has a block."""
    psd = PSDImage.new("RGBA", SIZE)
    layer = psd.create_pixel_layer(Image.new("RGBA", box, (200, 0, 0, 255)), "Kite", left=4, top=3)
    if data is not None:
        mark(layer, tag, data)
    return psd, layer


def test_an_effect_without_present_is_shown():
    """Photoshop CS6 to CC 2014 write no `present`; psd-tools takes such effects for none."""
    psd, layer = kite(data=block(overlay()))
    assert not layer.has_effects()
    assert compose(document_of(psd))[4, 5].tolist() == [0, 0, 200, 255]


def test_effects_that_are_switched_off_are_not_shown():
    psd, _ = kite(data=block(overlay(), master=False))
    document = document_of(psd)
    assert document.layers[0].style is None
    assert compose(document)[4, 5].tolist() == [200, 0, 0, 255]


def test_the_opacity_of_an_effect_is_its_own_and_fill_fades_the_layer_alone():
    psd, layer = kite(data=block(overlay(opacity=50.0)))
    layer.fill_opacity = 0
    document = document_of(psd)
    assert document.layers[0].opacity == 1
    assert compose(document)[4, 5].tolist() == [0, 0, 200, 128]


def test_blending_interior_effects_as_a_group_fades_them_with_the_layer():
    psd, layer = kite(data=block(overlay()))
    layer.fill_opacity = 51
    layer.tagged_blocks.set_data(Tag.BLEND_INTERIOR_ELEMENTS, 1)
    assert compose(document_of(psd))[4, 5].tolist() == [0, 0, 200, 51]


def test_effects_that_cannot_be_read_are_said():
    psd, layer = kite(tag=Tag.OBJECT_BASED_EFFECTS_LAYER_INFO, data=b"")
    assert document_of(psd).notes == ("the effects of 'Kite' (of a kind that we cannot read) were left out",)


def stroke(size, *rgb):
    kind, paint = Enumerated(typeID=b"FStl", enum=b"OutF"), Enumerated(typeID=b"FrFl", enum=b"SClr")
    return effect(b"FrFX", Styl=kind, PntT=paint, Sz__=pixels(size), Clr_=colour(*rgb))


def test_a_shadow_falls_away_from_the_light():
    light = {"uglg": Bool(False), "lagl": percent(180.0), "Dstn": pixels(3.0)}
    psd, _ = kite(data=block(effect(b"DrSh", Md__=mode(b"Mltp"), Clr_=colour(0, 0, 0), Opct=percent(100.0), **light)))
    picture = compose(document_of(psd))
    assert picture[4, 8:11].tolist() == [[0, 0, 0, 255]] * 3
    assert picture[4, 3].tolist() == picture[4, 11].tolist() == [0, 0, 0, 0]


def test_a_stroke_lies_outside_the_layer():
    psd, _ = kite(data=block(stroke(2.0, 0, 255, 0)))
    picture = compose(document_of(psd))
    assert picture[4, 2:5].tolist() == [[0, 255, 0, 255]] * 2 + [[200, 0, 0, 255]]
    assert picture[4, 1, 3] == 0


def test_several_strokes_lie_with_the_first_on_top():
    data = block()
    data[b"frameFXMulti"] = List([stroke(1.0, 0, 255, 0), stroke(2.0, 0, 0, 255)])
    psd, _ = kite(tag=Tag.OBJECT_BASED_EFFECTS_LAYER_INFO_V1, data=data)
    picture = compose(document_of(psd))
    assert picture[4, 2:4].tolist() == [[0, 0, 255, 255], [0, 255, 0, 255]]


@pytest.mark.parametrize(("code", "name"), [(b"ebbl", "bevel & emboss"), (b"ChFX", "satin"), (b"Glow", "Glow")])
def test_an_effect_that_we_do_not_draw_is_named_and_kept(code, name):
    psd, _ = kite(data=block(effect(code)))
    document = document_of(psd)
    assert document.notes == (f"the effects of 'Kite' ({name}) are kept, but not drawn",)
    again = PSDImage.open(io.BytesIO(write_bytes(document, "psd")))
    assert code in again[0].tagged_blocks.get_data(Tag.OBJECT_BASED_EFFECTS_LAYER_INFO)


def test_a_shadow_with_noise_is_not_drawn_but_named():
    shadow = effect(b"DrSh", Clr_=colour(0, 0, 0), Nose=percent(20.0), Dstn=pixels(3.0))
    psd, _ = kite(data=block(shadow))
    document = document_of(psd)
    assert document.notes == ("the effects of 'Kite' (drop shadow) are kept, but not drawn",)
    assert not compose(document)[:, 8:].any()


def test_a_pattern_is_named_and_not_written_without_its_tile():
    data = block(effect(b"patternFill", Ptrn=Descriptor(classID=b"Ptrn")))
    psd, _ = kite(data=data)
    document = document_of(psd)
    assert document.notes == ("the effects of 'Kite' (pattern overlay) were left out",)
    assert document.layers[0].style.blocks == ()


def test_a_shadow_far_away_takes_no_room_between():
    light = {"uglg": Bool(False), "lagl": percent(0.0), "Dstn": pixels(1e9)}
    psd, _ = kite(data=block(effect(b"DrSh", Clr_=colour(0, 0, 0), **light)))
    assert not compose(document_of(psd))[:, :4].any()


def test_effects_are_written_back_as_they_were():
    psd, _ = kite(data=block(overlay(), effect(b"ebbl")))
    document = document_of(psd)
    assert losses(document, "psd") == ()
    again = read_bytes(write_bytes(document, "psd"), name_or_format="b.psd")
    assert again.layers[0].style.blocks == document.layers[0].style.blocks
    assert np.array_equal(again.layers[0].rgba, document.layers[0].rgba)
    assert np.array_equal(compose(again), compose(document))


def test_an_adjustment_is_written_back_as_it_was():
    psd, _ = kite()
    mark(psd.create_pixel_layer(Image.new("RGBA", (0, 0)), "Steps"), Tag.POSTERIZE, ShortIntegerElement(4))
    document = document_of(psd)
    again = read_bytes(write_bytes(document, "psd"), name_or_format="b.psd")
    assert again.notes == ()
    steps = again.layers[1]
    assert (steps.kind, steps.settings, steps.blocks) == ("posterize", {"levels": 4}, document.layers[1].blocks)


def test_openraster_has_neither_and_says_so():
    psd, _ = kite(data=block(overlay()))
    mark(psd.create_pixel_layer(Image.new("RGBA", (0, 0)), "Negative"), Tag.INVERT, b"")
    document = document_of(psd)
    assert losses(document, "ora") == (
        "the effects of 'Kite' became layers and pixels",
        "'Negative' (invert) changes what lies below it, and was left out",
    )
    again = read_bytes(write_bytes(document, "ora"), name_or_format="b.ora")
    assert again.layers[0].rgba[0, 0].tolist() == [0, 0, 200, 255]


@pytest.mark.parametrize(
    ("tag", "data", "said"),
    [
        (Tag.KNOCKOUT_SETTING, ByteElement(1), "is a shallow knockout, which is not drawn"),
        (Tag.KNOCKOUT_SETTING, ByteElement(2), "is a deep knockout, which is not drawn"),
        (Tag.TRANSPARENCY_SHAPES_LAYER, ByteElement(0), "has 'transparency shapes layer' switched off, which is not drawn"),
        (
            Tag.CHANNEL_BLENDING_RESTRICTIONS_SETTING,
            ChannelBlendingRestrictionsSetting([0]),
            "is restricted to some of the channels, which is not drawn",
        ),
        (Tag.USING_ALIGNED_RENDERING, ByteElement(1), None),
        (Tag.KNOCKOUT_SETTING, ByteElement(0), None),
    ],
)
def test_a_block_that_changes_the_look_is_named_and_others_are_not(tag, data, said):
    psd, layer = kite(tag=tag, data=data)
    assert document_of(psd).notes == ((f"'Kite' {said}",) if said else ())
    layer.visible = False
    assert document_of(psd).notes == ()


def test_a_block_that_nobody_knows_is_named():
    psd, layer = kite()
    layer.tagged_blocks[b"zzzz"] = TaggedBlock(key=b"zzzz", data=bytes(4))
    assert document_of(psd).notes == ("'Kite' has the block 'zzzz', which is not drawn",)
