"""When a result goes into the document: never while the artist's hand is at work, and his layer stays the active one."""

import hand
from acetate.plugins.krita import canvas
from contract import put_in, select, sheet
from desk import activate, choose, click, docker, fix_seed, open_gate, prepared, session, type_prompt
from krita import Krita
from painting import BRUSH, WAIT, click_at, go, press, release, tool
from pieces import claim, names
from stage import undo

SETTLED = 800
"""Milliseconds in which a result that did not wait would be there."""


def begin(prompt):
    """Generate; returns the result that comes some day."""
    type_prompt(prompt)
    fix_seed(7)
    asked = []
    generate, session().jobs.generate = session().jobs.generate, lambda *what: asked.append(generate(*what))
    try:
        click(docker().button)
        yield lambda: asked
    finally:
        session().jobs.generate = generate
    return asked[-1]


def at_work(gate, *, task=""):
    """A document with the active layer "mine", and a generation that waits for the gate; returns both and the result."""
    document = yield from prepared(640, 480)
    mine = put_in(document, sheet("mine", 20, 20, 60, 60))
    yield from activate(document, mine)
    yield from tool(BRUSH)
    if task:
        choose("task", task)
    result = yield from begin(f"a fig @gate:{gate}")
    return document, mine, result


def arrives(gate, result):
    """Everything of the result has arrived, and there was time to insert it."""
    open_gate(gate)
    yield lambda: result.status.over
    yield SETTLED


def is_in(result):
    return lambda: result.over and result.made is not None


def assert_waits(document, result):
    assert names(document) == ["Background", "mine"], names(document)
    assert result.ready and session().jobs.ready == [result]
    assert "hand is free" in docker().ready.text.text() and docker().ready.isVisible()


@claim
def a_stroke_goes_on_while_a_result_arrives_and_the_result_comes_after_it():
    document, mine, result = yield from at_work("stroke")
    yield from press(0.3, 0.5)
    yield from go(0.5, 0.5)
    yield from arrives("stroke", result)
    assert_waits(document, result)
    yield from go(0.7, 0.5)
    yield from release()
    yield is_in(result)
    bounds, whole = mine.bounds(), document.width()
    assert bounds.x() + bounds.width() > 0.62 * whole, (bounds, whole)
    assert names(document)[2].startswith("a fig") and not docker().ready.isVisible()


@claim
def a_lasso_is_closed_by_the_hand_and_not_by_a_result():
    document, _, result = yield from at_work("lasso")
    yield from tool("KisToolSelectOutline")
    yield from press(0.3, 0.3)
    yield from go(0.6, 0.3)
    yield from arrives("lasso", result)
    assert_waits(document, result)
    yield from go(0.6, 0.7)
    yield from go(0.3, 0.7)
    yield from release()
    yield is_in(result)
    assert document.selection().height() > 0.3 * document.height(), document.selection().height()
    yield from tool(BRUSH)


@claim
def a_polygon_that_is_set_click_by_click_is_not_broken_off():
    document, _, result = yield from at_work("polygon")
    yield from tool("KisToolSelectPolygonal")
    yield from click_at(0.3, 0.3)
    yield from click_at(0.6, 0.3)
    yield from arrives("polygon", result)
    assert_waits(document, result)
    yield from click_at(0.6, 0.7)
    yield from hand.press("Return")
    yield is_in(result)
    assert document.selection().height() > 0.3 * document.height()
    yield from tool(BRUSH)


@claim
def a_transformation_keeps_its_handles_until_it_is_applied():
    document, mine, result = yield from at_work("transform")
    yield from tool("KisToolTransform")
    yield 3 * WAIT
    yield from arrives("transform", result)
    assert_waits(document, result)
    before = mine.bounds()
    yield from press(0.12, 0.145)
    yield from go(0.3, 0.3)
    yield from release()
    assert_waits(document, result)
    yield from hand.press("Return")
    yield is_in(result)
    assert mine.bounds() != before, "the transformation was applied"
    yield from tool(BRUSH)


@claim
def a_crop_frame_stays_until_it_is_left():
    document, _, result = yield from at_work("crop")
    yield from tool("KisToolCrop")
    yield from press(0.2, 0.2)
    yield from go(0.6, 0.6)
    yield from release()
    yield from arrives("crop", result)
    assert_waits(document, result)
    yield from tool(BRUSH)
    yield is_in(result)


@claim
def an_artist_who_painted_on_the_same_layer_goes_on_painting_there():
    document, mine, result = yield from at_work("painted")
    yield from press(0.3, 0.6)
    yield from go(0.5, 0.6)
    yield from release()
    yield from arrives("painted", result)
    yield is_in(result)
    yield 3 * WAIT
    assert document.activeNode() == mine, document.activeNode().name()
    before = mine.bounds().height()
    yield from press(0.4, 0.3)
    yield from go(0.4, 0.9)
    yield from release()
    yield 3 * WAIT
    assert mine.bounds().height() > before, "the next stroke is on his layer"


@claim
def so_does_one_who_has_undone_a_step():
    document = yield from prepared(640, 480)
    mine = put_in(document, sheet("mine", 20, 20, 60, 60))
    yield from activate(document, mine)
    yield from tool(BRUSH)
    yield from press(0.3, 0.6)
    yield from go(0.5, 0.6)
    yield from release()
    yield 2 * WAIT
    result = yield from begin("a fig @gate:undone")
    Krita.instance().action("edit_undo").trigger()
    yield 2 * WAIT
    yield from arrives("undone", result)
    yield is_in(result)
    yield 3 * WAIT
    assert document.activeNode() == mine


@claim
def and_one_who_has_changed_a_layer_by_the_menu():
    document, mine, result = yield from at_work("changed")
    mine.setBlendingMode("multiply")
    yield 2 * WAIT
    yield from arrives("changed", result)
    yield is_in(result)
    yield 3 * WAIT
    assert document.activeNode() == mine


@claim
def without_anything_done_meanwhile_the_new_layer_is_the_active_one():
    document, mine, result = yield from at_work("idle")
    yield from arrives("idle", result)
    yield is_in(result)
    yield lambda: document.activeNode() == result.made
    second = yield from begin("a pear")
    yield is_in(second)
    yield lambda: document.activeNode() == second.made  # and of two that follow each other the last


@claim
def where_the_artist_wants_to_choose_a_result_waits_for_its_button():
    session().set_inserting_at_once(False)
    try:
        document, _, result = yield from at_work("chosen")
        yield from arrives("chosen", result)
        assert names(document) == ["Background", "mine"] and result.state == "ready"
        assert docker().ready.isVisible()
        yield from hand.click(docker().ready.insert_button)
        yield is_in(result)
        assert len(names(document)) == 3 and not docker().ready.isVisible()
        second = yield from begin("a pear")
        yield lambda: second.ready
        yield from hand.click(docker().ready.dismiss_button)
        yield lambda: second.over
        assert len(names(document)) == 3 and second.failure is None
    finally:
        session().set_inserting_at_once(True)


@claim
def the_button_also_inserts_while_the_hand_is_at_work():
    document, _, result = yield from at_work("asked")
    yield from tool("KisToolTransform")
    yield from arrives("asked", result)
    assert_waits(document, result)
    yield from hand.click(docker().ready.insert_button)
    yield is_in(result)
    yield from tool(BRUSH)


# --- where it goes ---------------------------------------------------------------------------------------------------


def carried(gate, change):
    """A result for a selection at (100, 200), 64 x 32, while the canvas is changed; returns its layer's box and the result."""
    document = yield from prepared(640, 480)
    mine = put_in(document, sheet("mine", 50, 60, 100, 100, opaque=True))
    yield from activate(document, mine)
    yield from select(document, 100, 200, 64, 32, 255)
    result = yield from begin(f"a fig @gate:{gate}")
    change(document)
    document.waitForDone()
    yield 2 * WAIT
    yield from arrives(gate, result)
    yield is_in(result)
    return canvas.layer_box(document, result.made), result


def near(box, x, y, right, bottom):
    """The fake's disc does not fill its box: it lies inside, and its middle is where the box's is."""
    assert x <= box.x and y <= box.y and box.right <= right and box.bottom <= bottom, box
    assert box.width * 4 > right - x, (box, right - x)


@claim
def a_result_follows_a_canvas_that_was_cropped():
    box, result = yield from carried("cropped", lambda document: document.crop(30, 20, 400, 300))
    near(box, 70, 180, 134, 212)
    assert "went with it" in " ".join(result.notes)


@claim
def or_scaled():
    box, _ = yield from carried("scaled", lambda document: document.scaleImage(1280, 960, 72, 72, "Bilinear"))
    near(box, 200, 400, 328, 464)


@claim
def or_turned():
    box, _ = yield from carried("turned", lambda document: document.rotateImage(1.5707963267948966))
    near(box, 248, 100, 280, 164)


@claim
def and_lies_where_it_was_asked_for_when_nothing_happened():
    box, result = yield from carried("still", lambda document: None)
    near(box, 100, 200, 164, 232)
    assert not result.notes, result.notes


@claim
def a_result_in_a_hidden_group_or_off_the_canvas_is_said_to_be_there():
    document = yield from prepared()
    group = document.createGroupLayer("sketches")
    document.rootNode().addChildNode(group, None)
    inner = document.createNode("inner", "paintlayer")
    group.addChildNode(inner, None)
    yield from activate(document, inner)
    group.setVisible(False)
    result = yield from begin("a fig")
    yield is_in(result)
    assert "“sketches”, which is hidden" in " ".join(result.notes), result.notes
    document = yield from prepared()
    yield from select(document, 2000, 2000, 64, 64, 255)
    result = yield from begin("a fig")
    yield is_in(result)
    assert "outside the canvas" in " ".join(result.notes), result.notes


# --- selections ------------------------------------------------------------------------------------------------------


@claim
def a_local_selection_counts_as_the_selection():
    document = yield from prepared()
    mine = put_in(document, sheet("mine", 0, 0, 200, 200, opaque=True))
    yield from activate(document, mine)
    yield from select(document, 40, 50, 60, 70, 255)
    Krita.instance().action("add_new_selection_mask").trigger()
    yield 4 * WAIT
    document.setSelection(None)
    yield WAIT
    assert canvas.selection_of(document) is not None
    result = yield from begin("a fig")
    yield is_in(result)
    box = result.status.layers[0].layer.box
    assert (box.x, box.y, box.width, box.height) == (40, 50, 60, 70), box


def cut(how):
    document = yield from prepared()
    docker().form_panel.more.setChecked(True)
    choose("clip", how)
    half = yield from select(document, 0, 0, 200, 150, 128)
    result = yield from begin("a fig")
    yield is_in(result)
    sent = result.status.layers[0]
    return document, result.made, sent, half


@claim
def a_result_is_cut_to_the_selections_shape_in_its_pixels():
    _, node, sent, _ = yield from cut("alpha")
    layer = sent.layer
    data = node.pixelData(layer.x, layer.y, layer.width, layer.height).data()
    expected = bytes((alpha * 128 + 127) // 255 for alpha in sent.data[3::4])
    assert data[3::4] == expected and data[0::4] == bytes(sent.data[0::4])


@claim
def or_by_a_mask_that_goes_with_one_undo_step():
    document, node, sent, _ = yield from cut("mask")
    (mask,) = node.childNodes()
    assert mask.type() == "transparencymask"
    assert mask.selection().pixelData(10, 10, 1, 1).data() == b"\x80"
    layer = sent.layer
    assert node.pixelData(layer.x, layer.y, layer.width, layer.height).data() == sent.data
    yield from undo(document)
    assert [name for name in names(document) if name != "Selection Mask"] == ["Background"], names(document)


@claim
def a_result_of_the_history_becomes_the_mask_of_a_layer():
    document = yield from prepared()
    mine = put_in(document, sheet("mine", 0, 0, 200, 200, opaque=True))
    yield from activate(document, mine)
    first = yield from begin("a fig")
    yield is_in(first)
    yield from activate(document, mine)
    seen = []
    session().inserted.connect(seen.append)
    try:
        session().insert_again(first.job, document, as_mask=True)
        yield lambda: seen
    finally:
        session().inserted.disconnect(seen.append)
    (mask,) = mine.childNodes()
    layer = first.status.layers[0].layer
    shown = mask.selection().pixelData(layer.x, layer.y, layer.width, layer.height).data()
    assert mask.type() == "transparencymask" and shown == bytes(first.status.layers[0].data[3::4])
    Krita.instance().action("edit_undo").trigger()
    yield lambda: mine.childNodes() == []
    assert len(names(document)) == 3
