"""New versions of a layer: in its place, with all that it has, in one undo step."""

import struct
import sys

import hand
from acetate.plugins.krita import canvas
from contract import put_in, select, sheet
from desk import activate, choose, docker, prepared, session
from krita import Krita, Selection
from moments import begin, is_in
from painting import WAIT, picture
from pieces import claim, names
from stage import redo, undo


def rich_layer(document):
    """Multiply at 39 %, with inherited alpha, a colour label, a transparency mask and a filter mask."""
    node = put_in(document, sheet("shadow of the cat", 60, 40, 96, 80, opaque=True))
    yield 2 * WAIT
    node.setBlendingMode("multiply")
    node.setOpacity(100)
    node.setInheritAlpha(True)
    node.setColorLabel(3)
    half = Selection()
    half.select(60, 40, 48, 80, 255)
    mask = document.createTransparencyMask("half")
    mask.setSelection(half)
    node.addChildNode(mask, None)
    node.addChildNode(document.createFilterMask("inverted", Krita.instance().filter("invert"), half), mask)
    document.waitForDone()
    yield 2 * WAIT
    yield from activate(document, node)
    return node


def what_it_is(node):
    kinds = [(one.name(), one.type()) for one in node.childNodes()]
    return node.name(), node.blendingMode(), node.opacity(), node.inheritAlpha(), node.colorLabel(), kinds


def asked(task, prompt="in oil paint", **fields):
    choose("task", task)
    docker().form_panel.more.setChecked(True)
    for name, value in fields.items():
        choose(name, value)
    result = yield from begin(prompt)
    yield is_in(result)
    yield 3 * WAIT
    return result


SHADOW = """<!DOCTYPE asl>
<asl>
 <node type="Descriptor" name="" classId="null">
  <node type="UnitFloat" key="Scl " unit="#Prc" value="100"/>
  <node type="Boolean" key="masterFXSwitch" value="1"/>
  <node type="Descriptor" key="DrSh" name="" classId="DrSh">
   <node type="Boolean" key="enab" value="1"/>
   <node type="Enum" key="Md  " typeId="BlnM" value="Mltp"/>
   <node type="UnitFloat" key="Opct" unit="#Prc" value="75"/>
   <node type="UnitFloat" key="Dstn" unit="#Pxl" value="7"/>
   <node type="UnitFloat" key="blur" unit="#Pxl" value="5"/>
  </node>
 </node>
</asl>
"""
"""A drop shadow, as Krita tells layer styles."""


@claim
def a_new_version_has_the_layers_style():
    """A copy of the layer has it by itself, a group that takes its place is given it."""
    document = yield from prepared()
    old = put_in(document, sheet("cat", 60, 40, 96, 80, opaque=True))
    old.setLayerStyleFromAsl(SHADOW)
    assert 'key="DrSh"' in old.layerStyleToAsl(), old.layerStyleToAsl()
    yield 2 * WAIT
    yield from activate(document, old)
    for count in (1, 2):
        docker().form_panel.count.setValue(count)
        result = yield from asked("refine")
        assert result.made.layerStyleToAsl().count('key="DrSh"') == old.layerStyleToAsl().count('key="DrSh"') == 1
        yield from undo(document)
        yield from activate(document, old)


def taken_from_history(first, document):
    """All of a finished job instead of the active layer."""
    seen = []
    session().inserted.connect(seen.append)
    try:
        session().insert_again(first.job, document, instead=True)
        yield lambda: seen
        return seen[0]
    finally:
        session().inserted.disconnect(seen.append)


@claim
def a_refined_layer_takes_over_all_that_the_old_one_has_and_hides_it():
    document = yield from prepared()
    old = yield from rich_layer(document)
    before = what_it_is(old)
    result = yield from asked("refine")
    new = result.made
    assert what_it_is(new) == before and new != old
    assert [node.name() for node in document.topLevelNodes()] == ["Background", before[0], before[0]]
    assert document.topLevelNodes()[2] == new
    assert (old.visible(), new.visible()) == (False, True)
    layer, data = result.status.layers[0].layer, result.status.layers[0].data
    assert new.pixelData(layer.x, layer.y, layer.width, layer.height).data() == data
    assert document.activeNode() == new


@claim
def so_do_repainted_and_enlarged_ones_between_the_layers_that_there_are():
    for task in ("repaint", "upscale"):
        document = yield from prepared()
        old = yield from rich_layer(document)
        put_in(document, sheet("above"), canvas.identity(old))
        yield from activate(document, old)
        if task == "repaint":
            yield from select(document, 70, 50, 30, 20, 255)
        before = what_it_is(old)
        result = yield from asked(task)
        assert what_it_is(result.made) == before and not old.visible(), task
        painted = [node for node in document.topLevelNodes() if node.type() == "paintlayer"]
        assert [node.name() for node in painted] == ["Background", before[0], before[0], "above"], task
        assert painted[2] == result.made


@claim
def the_old_layers_own_pixels_are_sent_not_what_its_masks_leave_of_them():
    document = yield from prepared()
    old = yield from rich_layer(document)
    own = old.pixelData(60, 40, 96, 80).data()
    choose("task", "upscale")
    docker().form_panel.scale.setValue(1.0)
    choose("method", "enlarge")
    result = yield from begin("")
    yield is_in(result)
    layer = result.status.layers[0].layer
    assert (layer.width, layer.height) == (96, 80)
    assert result.status.layers[0].data == own, "scale 1 gives back what was sent"


@claim
def one_ctrl_z_shows_the_old_layer_again_and_redoing_hides_it():
    document = yield from prepared()
    old = yield from rich_layer(document)
    yield from asked("refine")
    seen = document.pixelData(70, 50, 1, 1).data()
    yield from undo(document)
    yield lambda: old.visible()
    assert [node.name() for node in document.topLevelNodes()] == ["Background", "shadow of the cat"]
    yield 2 * WAIT
    assert document.pixelData(70, 50, 1, 1).data() != b"\xff\xff\xff\xff", "it is drawn again"
    yield from redo(document)
    yield lambda: not old.visible()
    yield lambda: document.pixelData(70, 50, 1, 1).data() == seen


@claim
def undo_looks_for_new_versions_only_in_documents_that_have_some():
    document = yield from prepared()
    yield from asked("foreground", "a fig")
    assert "_settle" not in (yield from looked(undo(document)))
    yield from rich_layer(document)
    yield from asked("refine")
    assert "_settle" in (yield from looked(undo(document)))


def looked(step):
    """The functions of `replacing` that a step calls."""
    seen = set()

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename.endswith("replacing.py"):
            seen.add(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        yield from step
    finally:
        sys.setprofile(None)
    return seen


@claim
def an_old_layer_that_is_taken_out_comes_back_by_one_real_ctrl_z():
    document = yield from prepared()
    old = yield from rich_layer(document)
    before = what_it_is(old)
    yield from asked("refine", original="replace")
    assert [node.name() for node in document.topLevelNodes()] == ["Background", before[0]]
    new = document.topLevelNodes()[1]
    assert what_it_is(new) == before and new != old
    picture().setFocus()
    yield from hand.press("ctrl+z")
    yield lambda: document.topLevelNodes()[-1] == old and len(document.topLevelNodes()) == 2
    yield 4 * WAIT
    assert document.topLevelNodes()[-1] == old and old.visible()


@claim
def an_old_layer_can_be_left_as_it_is():
    document = yield from prepared()
    old = yield from rich_layer(document)
    yield from asked("refine", original="keep")
    assert old.visible() and len(document.topLevelNodes()) == 3


@claim
def a_group_and_several_candidates_become_a_version_as_a_group_with_the_layers_mode():
    document = yield from prepared()
    old = yield from rich_layer(document)
    docker().form_panel.count.setValue(2)
    first = yield from asked("refine", original="keep")
    yield from activate(document, old)
    group = (yield from taken_from_history(first, document)).made
    assert group.type() == "grouplayer"
    assert (group.name(), group.blendingMode(), group.opacity()) == ("shadow of the cat", "multiply", 100)
    assert [one.type() for one in group.childNodes()].count("paintlayer") == 2


@claim
def a_layer_enlarged_beyond_the_canvas_is_said_to_or_the_canvas_grows_with_it_in_one_undo_step():
    document = yield from prepared(200, 150)
    mine = put_in(document, sheet("mine", 0, 0, 200, 150, opaque=True))
    yield from activate(document, mine)
    choose("task", "upscale")
    docker().form_panel.scale.setValue(2.0)
    result = yield from begin("")
    yield is_in(result)
    assert "400 × 300 and reaches beyond the canvas of 200 × 150" in " ".join(result.notes), result.notes
    yield from undo(document)
    yield from activate(document, mine)
    docker().form_panel.placing.grows.setChecked(True)
    result = yield from begin("")
    yield is_in(result)
    yield lambda: (document.width(), document.height()) == (400, 300)
    assert canvas.layer_box(document, result.made).width == 400
    document.waitForDone()
    yield 4 * WAIT
    Krita.instance().action("edit_undo").trigger()
    yield 10 * WAIT
    assert (len(names(document)), document.width(), document.height()) == (2, 200, 150)


@claim
def a_result_that_replaces_a_layer_from_the_history_keeps_its_masks():
    document = yield from prepared()
    first = yield from asked("foreground", "a fig")
    old = yield from rich_layer(document)
    before = what_it_is(old)
    result = yield from taken_from_history(first, document)
    assert what_it_is(result.made) == before
    assert [node.name() for node in document.topLevelNodes()].count(before[0]) == 1


# --- more than 8 bits ------------------------------------------------------------------------------------------------


def ramp(document, depth, top):
    """A layer with 1024 levels side by side, up to `top`."""
    node = document.createNode("ramp", "paintlayer")
    letter = {"U16": "H", "F16": "e", "F32": "f"}[depth]
    opaque = 65535 if depth == "U16" else 1.0
    row = []
    for step in range(1024):
        value = step * top / 1023
        row += [round(value) if depth == "U16" else value] * 3 + [opaque]
    node.setPixelData(struct.pack(f"<{len(row)}{letter}", *row) * 4, 0, 0, 1024, 4)
    document.rootNode().addChildNode(node, None)
    return node


def levels(node, depth, width, row):
    letter, size = {"U16": ("H", 2), "F16": ("e", 2), "F32": ("f", 4)}[depth]
    data = node.pixelData(0, row, width, 1).data()
    return [one[0] for one in struct.iter_unpack(f"<4{letter}", data)] if len(data) == 4 * size * width else []


def enlarged(depth, profile, top):
    document = yield from prepared(1024, 8, model="RGBA", depth=depth, profile=profile)
    node = ramp(document, depth, top)
    yield from activate(document, node)
    choose("task", "upscale")
    docker().form_panel.scale.setValue(2.0)
    result = yield from begin("")
    yield is_in(result)
    new = result.made
    assert (new.colorDepth(), new.colorProfile()) == (depth, node.colorProfile())
    return levels(new, depth, 2048, 3)


@claim
def a_16_bit_layer_that_is_only_enlarged_keeps_its_levels_and_its_profile():
    found = yield from enlarged("U16", "LargeRGB-elle-V4-g22.icc", 65535)
    assert len(set(found)) >= 1024 and max(found) == 65535


@claim
def a_float_layer_keeps_what_is_brighter_than_white():
    found = yield from enlarged("F32", "ACEScg-elle-V4-g10.icc", 6.5)
    assert len(set(found)) >= 1024 and abs(max(found) - 6.5) < 1e-3


@claim
def so_does_a_half_float_layer():
    found = yield from enlarged("F16", "sRGB-elle-V2-g10.icc", 3.0)
    assert max(found) == 3.0 and len(set(found)) >= 800


@claim
def repainting_a_16_bit_layer_keeps_all_that_was_not_selected_to_the_bit():
    document = yield from prepared(256, 64, model="RGBA", depth="U16", profile="LargeRGB-elle-V4-g22.icc")
    node = ramp(document, "U16", 65535)
    yield from activate(document, node)
    before = node.pixelData(0, 0, 1024, 4).data()
    yield from select(document, 40, 0, 20, 4, 255)
    result = yield from asked("repaint", "a button")
    after = result.made.pixelData(0, 0, 1024, 4).data()
    changed = {i // 8 % 1024 for i in range(0, len(before), 8) if after[i : i + 8] != before[i : i + 8]}
    assert changed and min(changed) >= 40 and max(changed) < 60, (min(changed), max(changed))
