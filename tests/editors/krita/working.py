"""Tasks that work on layers of the document, the history, and layers from files."""

from types import SimpleNamespace

import hand
from acetate.plugins.krita import canvas
from acetate.plugins.krita.forms.form_keeper import LOOK_MS
from acetate.plugins.krita.pictures import history_list
from acetate.plugins.krita.pictures.tile import PICTURE
from acetate.plugins.krita.qt import Qt, QtWidgets
from acetate.protocol import Box
from contract import finished, put_in, select, sheet
from desk import (
    FAKE,
    OUT,
    QTest,
    activate,
    assert_equals_what_the_server_sent,
    choose,
    docker,
    failure_of,
    generate,
    layer_of,
    prepared,
    session,
    type_prompt,
)
from krita import Krita
from pieces import claim, names
from stage import redo, undo

SHARE = OUT.parent


def with_layer(task, *, x=60, y=40, width=96, height=80):
    """A document with an active layer of noise, and the task chosen."""
    document = yield from prepared()
    one = sheet("source", x, y, width, height)
    node = put_in(document, one)
    yield from activate(document, node)
    choose("task", task)
    return document, node, one.ready.data


def newest(document):
    """The uppermost layer with pixels: a selection lies above it as a node of its own."""
    return [node for node in document.topLevelNodes() if node.type() == "paintlayer"][-1]


@claim
def refining_a_layer_puts_another_version_above_it_at_its_place():
    document, node, before = yield from with_layer("refine")
    result = yield from generate("in oil paint")
    assert names(document) == ["Background", "source", "source"]
    assert result.status.layers[0].layer.box == Box(60, 40, 96, 80)
    assert node.pixelData(60, 40, 96, 80).data() == before
    yield from undo(document)
    assert names(document) == ["Background", "source"]


@claim
def a_locked_alpha_comes_back_as_it_was():
    document, _, before = yield from with_layer("refine")
    docker().form_panel.lock_alpha.setChecked(True)
    yield from generate("in oil paint")
    after = newest(document).pixelData(60, 40, 96, 80).data()
    assert after[3::4] == before[3::4]


@claim
def repainting_leaves_everything_outside_the_selection_to_the_bit():
    document, node, before = yield from with_layer("repaint")
    yield from select(document, 80, 50, 30, 20, 255)
    yield from generate("a button")
    after = newest(document).pixelData(60, 40, 96, 80).data()
    changed = 0
    for row in range(80):
        for column in range(96):
            i = 4 * (96 * row + column)
            inside = 20 <= column < 50 and 10 <= row < 30
            assert inside or after[i : i + 4] == before[i : i + 4], (column, row)
            changed += after[i : i + 4] != before[i : i + 4]
    assert changed > 100
    assert node.pixelData(60, 40, 96, 80).data() == before


@claim
def repainting_through_half_a_selection_changes_less():
    document, node, before = yield from with_layer("repaint")
    changes = []
    for value in (255, 128):
        yield from activate(document, node)
        yield from select(document, 80, 50, 30, 20, value)
        result = yield from generate("a button")
        after = result.status.layers[0].data
        assert result.status.layers[0].layer.box == Box(60, 40, 96, 80) and len(after) == len(before)
        changed = [abs(after[i] - before[i]) for i in range(len(after))]
        inside = [4 * (96 * row + column) for row in range(10, 30) for column in range(20, 50)]
        changes.append(sum(sum(changed[i : i + 4]) for i in inside))
        assert sum(changed) == changes[-1], "changed outside the selection"
    assert 0 < changes[1] < 0.75 * changes[0], changes


@claim
def repainting_reaches_beyond_the_layer_where_that_is_selected():
    document, _, _ = yield from with_layer("repaint")
    yield from select(document, 140, 100, 60, 60, 255)
    result = yield from generate("a button")
    assert result.status.layers[0].layer.box == Box(60, 40, 140, 120)
    assert_equals_what_the_server_sent(newest(document), result.status.layers[0])


@claim
def a_selection_beside_the_layer_and_the_canvas_is_refused():
    document, _, _ = yield from with_layer("repaint")
    yield from select(document, 500, 500, 10, 10, 255)
    failure = yield from failure_of(lambda: docker().button.click())
    assert "No part of the layer is selected" in failure.message
    assert session().current is None


@claim
def upscaling_makes_a_larger_layer_with_the_same_corner_in_one_undo_step():
    document, _, before = yield from with_layer("upscale")
    docker().form_panel.scale.setValue(2.0)
    result = yield from generate("")
    assert result.status.layers[0].layer.box == Box(60, 40, 192, 160)
    node = document.topLevelNodes()[2]
    assert node.pixelData(60, 40, 1, 1).data() == before[:4] or not FAKE, "the fake repeats pixels"
    assert_equals_what_the_server_sent(node, result.status.layers[0])
    yield from undo(document)
    assert names(document) == ["Background", "source"]
    yield from redo(document)
    assert len(names(document)) == 3


@claim
def refining_knows_the_words_that_made_the_layer():
    document = yield from prepared()
    yield from generate("a paper kite")
    kite, panel = document.activeNode(), docker().form_panel
    panel.count.setValue(2)
    yield from generate("a glass fox", seed=8)
    fox = document.activeNode()
    yield from activate(document, kite)
    panel.strength.setValue(35)
    choose("task", "refine")
    assert panel.prompt.text() == "a paper kite"
    yield from activate(document, fox)
    yield lambda: panel.prompt.text() == "a glass fox"
    assert (panel.task.currentData(), panel.seed.seed(), panel.strength.value()) == ("refine", 8, 35)


@claim
def refining_keeps_the_words_that_the_artist_has_typed():
    document = yield from prepared()
    yield from generate("a paper kite")
    kite, panel = document.activeNode(), docker().form_panel
    other = put_in(document, sheet("other"))
    yield from activate(document, other)
    type_prompt("in oil paint")
    choose("task", "refine")
    yield from activate(document, kite)
    yield 2 * LOOK_MS
    assert panel.prompt.text() == "in oil paint"


@claim
def a_layer_of_a_cmyk_document_is_sent_as_it_looks():
    document = yield from prepared(model="CMYKA", depth="U8")
    yield from generate("a red apple")
    node = layer_of(document, "a red apple (7)")
    yield lambda: document.activeNode() == node
    box = canvas.layer_box(document, node)
    before = finished(canvas.read_layer(document, node, box))
    choose("task", "upscale")
    docker().form_panel.scale.setValue(1.0)
    result = yield from generate("")
    layer, sent = result.status.layers[0].layer, result.status.layers[0].data
    assert layer.box == box
    if FAKE:  # which upscales by repeating pixels: scale 1 gives back what was sent
        assert sent == before


# --- history ---------------------------------------------------------------------------------------------------------


def history_rows():
    return [text.partition(" · ")[0] for text in docker().history.headings()]


@claim
def the_history_has_thumbnails_newest_first_and_a_double_click_inserts_again():
    document = yield from prepared()
    results = []
    for prompt in ("first fig", "second fig"):
        results.append((yield from generate(prompt)))
    yield lambda: history_rows()[:2] == ["second fig", "first fig"]
    rows = docker().history
    item = rows.item_of((results[0].job, 0))
    yield lambda: item.data(PICTURE) is not None
    rows.scrollToItem(item)
    docker()._below.ensureWidgetVisible(rows)
    yield 200
    yield from hand.click(rows.viewport(), rows.visualItemRect(item).center(), repeat=2)
    yield lambda: len(document.topLevelNodes()) == 4
    again = document.topLevelNodes()[3]
    assert again.name() == "first fig (7)"
    assert_equals_what_the_server_sent(again, results[0].status.layers[0])
    yield from undo(document)
    assert names(document) == ["Background", "first fig (7)", "second fig (7)"]


@claim
def the_history_tells_the_age_of_the_moment():
    yield from prepared()
    yield from generate("a milestone", seed=20)
    yield lambda: history_rows()[:1] == ["a milestone"]
    clock = history_list.time
    history_list.time = SimpleNamespace(time=lambda: clock.time() + 7200)
    try:
        docker().pictures.tell_ages()
        assert docker().history.headings()[0] == "a milestone · 2 h ago", docker().history.headings()[0]
    finally:
        history_list.time = clock
    docker().pictures.tell_ages()
    assert docker().history.headings()[0] == "a milestone · just now"


def choose_in_menu(key, what):
    """Open the context menu of a picture of the history and take an entry."""
    rows = docker().history
    item = rows.item_of(key)
    rows.scrollToItem(item)
    rows.customContextMenuRequested.emit(rows.visualItemRect(item).center())
    yield lambda: QtWidgets.QApplication.activePopupWidget() is not None
    menu = QtWidgets.QApplication.activePopupWidget()
    action = next(one for one in menu.actions() if one.objectName() == f"acetate_history_{what}")
    menu.setActiveAction(action)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    yield lambda: QtWidgets.QApplication.activePopupWidget() is None


@claim
def the_context_menu_of_the_history_does_what_it_says():
    document = yield from prepared()
    yield from generate("an old boot", seed=21)
    yield lambda: history_rows()[:1] == ["an old boot"]
    yield lambda: document.activeNode().name() == "an old boot (21)"
    job = next(iter(session().history.entries))
    key = (job, 0)
    docker().form_panel.prompt.clear()
    yield from choose_in_menu(key, "copy")
    filled = docker().form_panel.prompt.text(), docker().form_panel.seed.seed()
    assert filled == ("an old boot", 21), (filled, session().history.entries[job])
    yield from choose_in_menu(key, "insert")
    yield lambda: len(document.topLevelNodes()) == 3
    put = put_in(document, sheet("to be replaced"))
    yield from activate(document, put)
    yield from choose_in_menu(key, "replace")
    yield lambda: len(document.topLevelNodes()) == 4 and put not in document.topLevelNodes()
    assert document.topLevelNodes()[3].name() == "to be replaced", "its name is taken over"
    for step, there in (("edit_undo", True), ("edit_redo", False), ("edit_undo", True)):
        document.waitForDone()
        yield 800
        Krita.instance().action(step).trigger()
        yield lambda there=there: (put in document.topLevelNodes()) == there and len(document.topLevelNodes()) == 4
    yield from choose_in_menu(key, "delete")
    yield lambda: history_rows()[:1] != ["an old boot"]
    assert job in session().history.entries, "it can be taken back"
    docker().pictures.desk.empty_basket()
    yield lambda: job not in session().history.entries
