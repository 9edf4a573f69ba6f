"""When a result goes into the document, and which layer is the active one then: the artist's, if he has gone on."""

import hand
from acetate.plugins.krita.qt import QtCore, QtWidgets
from contract import put_in, sheet
from desk import activate, choose, click, docker, fix_seed, layer_of, open_gate, prepared, session, type_prompt
from krita import Krita
from painting import BRUSH, WAIT, go, main_window, press, release, tool
from pieces import claim, names
from stage import undo

EYE = 12
"""Where a row of the Layers docker has its eye, in pixels from the left."""
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


def comes(gate, result):
    """It has arrived and is in the document."""
    open_gate(gate)
    yield is_in(result)


def is_in(result):
    return lambda: result.over and result.made is not None


def assert_waits(document, result, there=("Background", "mine")):
    assert names(document) == list(there), names(document)
    assert result.ready and session().jobs.ready == [result]
    assert "hand is free" in docker().ready.text.text() and docker().ready.isVisible()


@claim
def an_artist_who_painted_on_the_same_layer_goes_on_painting_there():
    document, mine, result = yield from at_work("painted")
    yield from press(0.3, 0.6)
    yield from go(0.5, 0.6)
    yield from release()
    yield from comes("painted", result)
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
    yield from comes("undone", result)
    yield 3 * WAIT
    assert document.activeNode() == mine


@claim
def and_one_who_has_changed_a_layer_by_the_menu():
    document, mine, result = yield from at_work("changed")
    mine.setBlendingMode("multiply")
    yield 2 * WAIT
    yield from comes("changed", result)
    yield 3 * WAIT
    assert document.activeNode() == mine


@claim
def and_one_who_has_hidden_a_layer_by_its_eye():
    """Which is no step of Krita's undo history."""
    document, mine, result = yield from at_work("hidden")
    rows = layer_list()
    row = row_of(rows, "Background")
    yield from hand.click(rows.viewport(), QtCore.QPoint(EYE, row.center().y()))
    yield lambda: not layer_of(document, "Background").visible()
    assert document.activeNode() == mine
    yield from comes("hidden", result)
    yield 3 * WAIT
    assert document.activeNode() == mine


def layer_list():
    """The view in Krita's Layers docker."""
    return main_window().findChild(QtWidgets.QDockWidget, "KisLayerBox").findChild(QtWidgets.QAbstractItemView)


def row_of(view, layer):
    model = view.model()
    return next(view.visualRect(one) for one in (model.index(row, 0) for row in range(model.rowCount())) if one.data() == layer)


@claim
def while_a_layer_is_dragged_in_the_list_nothing_comes():
    document, mine, result = yield from at_work("dragged")
    put_in(document, sheet("above", 5, 5, 30, 30))
    yield from activate(document, mine)
    yield 2 * WAIT
    rows = layer_list()
    yield from hand.take(rows.viewport(), row_of(rows, "above").center(), rows.viewport(), row_of(rows, "Background").center())
    yield from arrives("dragged", result)
    there = names(document)
    assert_waits(document, result, there)
    yield from hand.let_go()
    yield is_in(result)
    assert len(names(document)) == len(there) + 1


@claim
def a_long_stroke_is_drawn_to_its_end_before_anything_comes():
    """As of a pen, whose strokes take seconds: what is painted after the arrival is on the layer, too, and is one step."""
    document, mine, result = yield from at_work("long")
    yield from press(0.2, 0.2)
    yield from go(0.3, 0.3)
    yield from arrives("long", result)
    assert_waits(document, result)
    reached = mine.bounds().width()
    yield from go(0.8, 0.8)
    assert_waits(document, result)
    yield from release()
    yield is_in(result)
    yield 3 * WAIT
    assert mine.bounds().width() > reached and document.activeNode() == mine
    yield from undo(document)
    assert names(document) == ["Background", "mine"], "the insertion is a step by itself"
    yield from undo(document)
    assert mine.bounds().width() == 60, "and so is the whole stroke"


@claim
def without_anything_done_meanwhile_the_new_layer_is_the_active_one():
    document, mine, result = yield from at_work("idle")
    yield from comes("idle", result)
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
