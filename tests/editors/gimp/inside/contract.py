"""What the plug-in relies on in GIMP. The same claims are checked in the real program and against the fake of the unit tests.

A claim is a public function, named like what it proves; it raises when that does not hold.
"""

from __future__ import annotations

import hashlib
import json

from acetate.plugins.bridge.stack import Folder, Sheet
from acetate.plugins.gimp import canvas, new_version
from acetate.protocol import Box, Layer, LayerReady
from gi.repository import Gimp
from pictures import done, names, new_image, offsets, pattern, pixels, put


def _sheet(name="apple (7)", x=10, y=20, width=6, height=4, box=None, **more) -> Sheet:
    """A layer with bytes that look random; `box` is the whole of it where the crop is smaller."""
    count = 4 * width * height
    blocks = (hashlib.sha256(f"{name} {number}".encode()).digest() for number in range(count // 32 + 1))
    whole = box or Box(x, y, width, height)
    layer = Layer("job-0001", 0, name, "foreground", x, y, width, height, whole, "rgba8", count, "0" * 64, seed=7)
    return Sheet(name, LayerReady(layer, b"".join(blocks)[:count]), **more)


def _put_in(image, item, above=None, record=None):
    return canvas.insert(image, canvas.spot_above(image, above), item, lambda sheet: record or {"name": sheet.name})


def a_new_layer_has_the_servers_bytes_at_its_place_also_under_alpha_0():
    with new_image() as (image, paper):
        one = _sheet()
        data = bytearray(one.ready.data)
        data[3::4] = bytes(len(data) // 4)
        data[3] = 255
        clear = Sheet("clear", LayerReady(one.ready.layer, bytes(data)))
        for item in (one, clear):
            (layer,) = _put_in(image, item, paper)
            assert pixels(layer) == item.ready.data
            assert canvas.box_of(layer) == Box(10, 20, 6, 4)
            assert layer.get_name() == item.name


def a_crop_lies_where_it_belongs_in_its_transparent_box():
    with new_image() as (image, paper):
        (layer,) = _put_in(image, _sheet(x=12, y=21, width=2, height=1, box=Box(10, 20, 6, 4)), paper)
        data = pixels(layer)
        assert canvas.box_of(layer) == Box(10, 20, 6, 4)
        start = 4 * (6 + 2)
        assert data[start : start + 8] == _sheet(width=2, height=1).ready.data
        assert not any(data[:start]) and not any(data[start + 8 :])


def layers_may_reach_beyond_the_canvas():
    with new_image() as (image, paper):
        one = _sheet(x=-5, y=76, width=12, height=9)
        (layer,) = _put_in(image, one, paper)
        assert offsets(layer) == (-5, 76) and pixels(layer) == one.ready.data


def pixels_that_are_too_few_are_refused_and_leave_nothing_behind():
    with new_image() as (image, paper):
        good, short = _sheet("good"), _sheet("short")
        cut = Sheet("cut", LayerReady(short.ready.layer, short.ready.data[:-1]))
        for item in (cut, Folder("group", (good, cut))):
            try:
                _put_in(image, item, paper)
            except ValueError as error:
                assert str(len(cut.ready.data)) in str(error)
            else:
                raise AssertionError("pixels that are one byte short were taken")
            assert image.get_layers() == [paper]


def a_new_layer_lies_directly_above_its_anchor_and_is_selected():
    with new_image() as (image, paper):
        (top,) = _put_in(image, _sheet("top"), paper)
        (middle,) = _put_in(image, _sheet("middle"), paper)
        assert names(image.get_layers()) == ["top", "middle", "paper"]
        assert image.get_selected_layers() == [middle]
        assert canvas.inserted_name([top]) == "middle"


def or_directly_below_it():
    with new_image() as (image, paper):
        _put_in(image, _sheet("top"), paper)
        for name in ("behind", "closer"):
            canvas.insert(image, canvas.spot_below(image, paper), _sheet(name), lambda sheet: {})
        assert names(image.get_layers()) == ["top", "paper", "closer", "behind"]


def a_new_layer_joins_the_group_of_its_anchor():
    with new_image() as (image, paper):
        low, high = _put_in(image, Folder("group", (_sheet("low"), _sheet("high"))), paper)
        group = image.get_layers()[0]
        _put_in(image, _sheet("between"), low)
        canvas.insert(image, canvas.spot_below(image, low), _sheet("lowest"), lambda sheet: {})
        assert names(group.get_children()) == ["high", "between", "low", "lowest"]
        assert names(image.get_layers()) == ["group", "paper"]
        _put_in(image, _sheet("above"), group)
        assert names(image.get_layers()) == ["above", "group", "paper"]
        assert high.get_parent() == group


def an_anchor_that_is_gone_means_on_top():
    with new_image() as (image, paper):
        (gone,) = _put_in(image, _sheet("gone"), paper)
        _put_in(image, _sheet("top"), gone)
        image.remove_layer(gone)
        for anchor in (gone, None):
            assert canvas.spot_above(image, anchor) == canvas.Spot(None, 0)


def groups_come_with_everything_that_a_document_says_of_its_layers():
    with new_image() as (image, paper):
        inner = Folder("inner", (_sheet("a"), _sheet("b", visible=False)), visible=False)
        shade = _sheet("shade", opacity=0.5, blend_mode="multiply")
        made = _put_in(image, Folder("outer", (inner, shade), blend_mode="pass-through"), paper)
        outer = image.get_layers()[0]
        assert names(made) == ["a", "b", "shade"], "lowest first"
        assert names(outer.get_children()) == ["shade", "inner"]
        assert [one.get_visible() for one in (outer, *outer.get_children(), *made[:2])] == [True, True, False, True, False]
        assert round(made[2].get_opacity()) == 50
        assert made[2].get_mode() == Gimp.LayerMode.MULTIPLY
        assert (outer.get_mode(), made[0].get_mode()) == (Gimp.LayerMode.PASS_THROUGH, Gimp.LayerMode.NORMAL)
        assert all(one.get_composite_space() == Gimp.LayerColorSpace.RGB_PERCEPTUAL for one in (outer, *made))
        assert image.get_selected_layers() == [outer] and canvas.inserted_name(made) == "outer"


def inside_an_undo_step_a_group_is_open_and_after_it_none():
    with new_image() as (image, paper):
        assert not image.undo_group_end(), "none is open to begin with"
        with canvas.one_undo_step(image):
            _put_in(image, _sheet(), paper)
            assert image.undo_group_end(), "the group is not open"
            image.undo_group_start()
        assert not image.undo_group_end(), "the group was never closed"


def the_undo_group_is_closed_also_after_an_error():
    with new_image() as (image, _):
        try:
            with canvas.one_undo_step(image):
                raise ValueError
        except ValueError:
            assert not image.undo_group_end(), "the group was never closed"
        else:
            raise AssertionError("the error was lost")


def a_hidden_original_is_not_seen_and_one_that_is_gone_is_passed_over():
    with new_image() as (image, paper):
        (layer,) = _put_in(image, _sheet(), paper)
        canvas.hide(paper)
        assert (paper.get_visible(), layer.get_visible()) == (False, True)
        image.remove_layer(layer)
        canvas.hide(layer)


def where_nothing_was_selected_the_originals_own_pixels_come_back():
    with new_image() as (image, paper):
        put(paper, pattern(96, 80, alpha=lambda x, y: 255 * (x % 3 > 0)))
        new = _sheet("new", 0, 0, 96, 80)
        layers = _put_in(image, new, paper)
        mask = bytes(255 * (20 <= x < 50 and 10 <= y < 30) for y in range(80) for x in range(96))
        before, sent = pixels(paper), new.ready.data
        new_version.restore_unselected(layers, paper, mask)
        after = pixels(layers[0])
        for i, selected in enumerate(mask):
            wanted = sent if selected else before
            assert after[4 * i : 4 * i + 4] == wanted[4 * i : 4 * i + 4], (i % 96, i // 96)
        assert pixels(paper) == before


def the_selection_is_read_under_a_box_and_is_0_beyond_the_canvas():
    with new_image() as (image, _):
        assert canvas.selection_box(image) is None
        assert done(canvas.selection_mask(image, Box(0, 0, 3, 2))).data == bytes(6)
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 90, 30, 20, 10)
        assert canvas.selection_box(image) == Box(90, 30, 6, 10), "GIMP keeps a selection inside the canvas"
        mask = done(canvas.selection_mask(image, Box(88, 29, 12, 3)))
        assert (mask.width, mask.height, mask.format) == (12, 3, "gray8")
        row = bytes(2) + b"\xff" * 6 + bytes(4)
        assert mask.data == bytes(12) + row + row


def a_layer_is_seen_as_it_was_written_also_under_alpha_0():
    with new_image() as (image, paper):
        data = pattern(96, 80, alpha=lambda x, y: 255 * (x & 1))
        put(paper, data)
        paper.set_offsets(8, 4)
        seen = done(canvas.look(canvas.View(paper), canvas.box_of(paper)))
        assert (seen.width, seen.height, seen.format, seen.data) == (96, 80, "rgba8", data)
        part = done(canvas.look(canvas.View(paper), Box(18, 14, 5, 3)))
        rows = [data[4 * (96 * y + 10) :][:20] for y in (10, 11, 12)]
        assert (part.width, part.height, part.data) == (5, 3, b"".join(rows)), "a part of it"
        assert canvas.box_of(paper) == Box(8, 4, 96, 80)
        assert image.get_layers() == [paper], "the copy that was looked at is not in the image"


def parameters_are_kept_on_a_layer_and_found_through_its_group():
    with new_image() as (image, paper):
        record = {"prompt": "Glas 🍷", "seed": 4294967295, "box": [1, 2, 3, 4]}
        assert canvas.attached(paper) == {} and canvas.attached(None) == {}
        (layer,) = _put_in(image, _sheet(), paper, record)
        assert canvas.attached(layer) == record
        _put_in(image, Folder("group", (_sheet("low"), _sheet("high"))), paper)
        group = next(one for one in image.get_layers() if one.is_group())
        assert canvas.attached(group) == {"name": "high"}
        data = json.dumps(["not", "a", "record"]).encode()
        paper.attach_parasite(Gimp.Parasite.new(canvas.PARASITE, 0, data))
        assert canvas.attached(paper) == {}


def the_layer_of_a_call_is_the_given_one_or_the_selected_one():
    with new_image() as (image, paper):
        (layer,) = _put_in(image, _sheet(), paper)
        assert canvas.active_layer(image, ()) == layer
        assert canvas.active_layer(image, (paper,)) == paper
        image.set_selected_layers([paper])
        assert canvas.active_layer(image, ()) == paper
        assert canvas.canvas_box(image) == Box(0, 0, 96, 80)
        assert canvas.folder_of(image) is None and canvas.folder_of(None) is None
