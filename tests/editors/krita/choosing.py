"""Candidates and the history: look, then act; with real keys and a real mouse."""

import hand
from acetate.plugins.krita import canvas
from acetate.plugins.krita.pictures.tile import CANDIDATE, PICTURE
from acetate.plugins.krita.qt import Qt, QtCore, QtGui, QtWidgets
from contract import select
from desk import (
    OUT,
    activate,
    assert_equals_what_the_server_sent,
    click,
    docker,
    fix_seed,
    generate,
    layer_of,
    prepared,
    ready,
    session,
    type_prompt,
)
from krita import Krita
from pieces import claim, names
from stage import redo, undo

SHARE = OUT.parent


def strip():
    return docker().pictures.strip


def chosen():
    return docker().pictures.desk.strip.candidate


def tile(rows, number, job=None):
    """The middle of a picture's thumbnail, in the list's viewport."""
    found = [rows.item(row) for row in range(rows.count())]
    tiles = [one for one in found if one.data(CANDIDATE) is not None and job in (None, one.data(CANDIDATE).job)]
    rows.scrollToItem(tiles[number])
    docker()._below.ensureWidgetVisible(rows)
    return rows.visualItemRect(tiles[number]).center()


def candidates(prompt, count=3, steps=None):
    """A new document with the candidates of a run, of the usual few steps or so many (0: the model's own); and the run."""
    document = yield from prepared()
    if steps is not None:
        docker().form_panel.steps.setValue(steps)
    docker().form_panel.count.setValue(count)
    result = yield from generate(prompt)
    yield lambda: strip().isVisible() and strip().list.count() == count
    yield 300
    return document, result


@claim
def of_several_candidates_the_first_comes_alone_and_the_others_wait_in_the_strip():
    document, _ = yield from candidates("three plums")
    assert names(document) == ["Background", "three plums (7)"]
    assert layer_of(document, "three plums (7)").visible()
    assert all(strip().list.item(row).data(PICTURE) is not None for row in range(3))
    assert [one.seed for one in docker().pictures.desk.candidates()] == [7, 8, 9]
    yield from undo(document)
    assert names(document) == ["Background"], "one step"


@claim
def one_click_looks_and_changes_nothing_and_a_double_click_inserts_the_third_alone():
    document, result = yield from candidates("three pears")
    rows = strip().list
    yield from hand.click(rows.viewport(), tile(rows, 2))
    yield 300
    assert chosen().number == 2 and names(document) == ["Background", "three pears (7)"]
    assert "3 of 3" in strip().caption.text(), strip().caption.text()
    yield from hand.click(rows.viewport(), tile(rows, 2), repeat=2)
    yield lambda: len(document.topLevelNodes()) == 3
    assert names(document) == ["Background", "three pears (7)", "three pears (9)"]
    node = layer_of(document, "three pears (9)")
    assert node.visible()
    third = next(one for one in result.status.layers if one.layer.picture == 2)
    assert_equals_what_the_server_sent(node, third)


@claim
def keys_of_the_strip_step_insert_star_and_throw_away_and_never_reach_kritas_shortcuts():
    document, _ = yield from candidates("three kites")
    painted = layer_of(document, "three kites (7)")
    yield from activate(document, painted)
    before = painted.pixelData(0, 0, 400, 300).data()
    rows = strip().list
    yield from hand.click(rows.viewport(), tile(rows, 0))
    yield from hand.press("Right")
    assert chosen().number == 1
    yield from hand.press("Return")
    yield lambda: len(document.topLevelNodes()) == 3
    assert names(document)[2] == "three kites (8)"
    yield 400
    yield from activate(document, painted)
    rows.setFocus()
    yield from hand.press("s")
    yield lambda: chosen().starred
    yield from hand.press("Right", "Delete")
    yield lambda: rows.count() == 2
    assert docker().pictures.undo_bar.isVisible()
    yield from hand.press("ctrl+z")
    yield lambda: rows.count() == 3
    assert painted.pixelData(0, 0, 400, 300).data() == before, "a key reached the picture"
    assert len(document.topLevelNodes()) == 3


@claim
def what_is_thrown_away_is_deleted_at_the_server_when_the_time_for_undo_is_over():
    _, result = yield from candidates("three figs")
    rows = strip().list
    yield from hand.click(rows.viewport(), tile(rows, 1))
    yield from hand.press("Delete")
    yield lambda: rows.count() == 2
    yield lambda: len(session().history.entries[result.job].layers) == 3
    docker().pictures.desk.empty_basket()
    yield lambda: len(session().history.entries[result.job].layers) == 2
    assert [one.number for one in docker().pictures.desk.candidates()] == [0, 2]
    assert not docker().pictures.undo_bar.isVisible()


@claim
def replacing_puts_the_chosen_candidate_in_the_place_of_the_active_layer_in_one_undo_step():
    document, result = yield from candidates("three cups")
    old = layer_of(document, "three cups (7)")
    old.setOpacity(100)
    yield from activate(document, old)
    before = canvas.identities(document)
    rows = strip().list
    yield from hand.click(rows.viewport(), tile(rows, 1))
    yield from hand.click(strip().buttons["replace"])
    yield lambda: len(document.topLevelNodes()) == 2 and canvas.identities(document) != before
    yield 600
    after = canvas.identities(document)
    new = document.topLevelNodes()[1]
    assert new.opacity() == 100, "it takes over what the artist has set"
    second = next(one for one in result.status.layers if one.layer.picture == 1)
    assert_equals_what_the_server_sent(new, second)
    for step, wanted in ((undo, before), (redo, after)):
        yield from step(document)
        yield lambda wanted=wanted: canvas.identities(document) == wanted


@claim
def insert_all_brings_those_that_are_missing_as_a_hidden_group():
    document, _ = yield from candidates("three hats")
    yield from hand.click(strip().buttons["all"])
    yield lambda: len(document.topLevelNodes()) == 3
    assert names(document)[2] == ["three hats", "three hats (9)", "three hats (8)"]
    group = layer_of(document, "three hats")
    assert [node.visible() for node in group.childNodes()] == [False, False]
    yield lambda: not strip().buttons["all"].isEnabled()


@claim
def space_shows_a_large_preview_and_b_shows_it_on_the_canvas():
    yield from candidates("three bells")
    rows, preview = strip().list, docker().pictures.preview
    yield from hand.click(rows.viewport(), tile(rows, 1))
    assert not preview.isVisible()
    yield from hand.press("space")
    yield preview.isVisible
    assert preview.width() > 160 and not preview.on_canvas
    seen = preview.grab().toImage()
    yield from hand.press("Right")
    yield 300
    assert preview.isVisible() and preview.grab().toImage() != seen, "the next one"
    yield from hand.press("b")
    yield lambda: preview.on_canvas
    assert preview.isVisible() and "B:" in preview.accessibleName()
    yield from hand.press("b", "space")
    yield lambda: not preview.isVisible()


@claim
def resting_on_a_thumbnail_shows_it_large_and_leaving_it_hides_that():
    yield from candidates("three rings")
    rows, preview = strip().list, docker().pictures.preview
    yield from hand.move(rows.viewport(), tile(rows, 2))
    yield preview.isVisible
    yield from hand.move(docker().button)
    yield lambda: not preview.isVisible()


@claim
def a_thumbnail_is_dragged_onto_the_canvas_and_its_middle_lies_where_it_was_let_go():
    document, _ = yield from candidates("three coins")
    rows = strip().list
    area = Krita.instance().activeWindow().qwindow().findChild(QtWidgets.QMdiArea)
    place = QtCore.QPoint(area.width() // 2 + 30, area.height() // 2 - 20)
    yield from hand.drag(rows.viewport(), tile(rows, 1), area, place)
    yield lambda: len(document.topLevelNodes()) == 3
    node = layer_of(document, "three coins (8)")
    box = canvas.layer_box(document, node)
    from acetate.plugins.krita.pictures.dragging import place_on_canvas

    view = Krita.instance().activeWindow().activeView()
    wanted = place_on_canvas(view, area.mapToGlobal(place))
    if wanted is not None:
        assert abs(box.x + box.width // 2 - wanted[0]) <= 2 and abs(box.y + box.height // 2 - wanted[1]) <= 2, (box, wanted)
    return {"place": wanted}


@claim
def the_history_shows_every_picture_of_a_job_under_one_line_and_inserts_the_one_that_is_double_clicked():
    document, result = yield from candidates("three nuts")
    rows = docker().history
    yield lambda: rows.headings()[:1] and rows.headings()[0].startswith("three nuts · ")
    assert (
        sum(
            1
            for row in range(rows.count())
            if rows.item(row).data(CANDIDATE) is not None and rows.item(row).data(CANDIDATE).job == result.job
        )
        == 3
    )
    yield from hand.click(rows.viewport(), tile(rows, 1, result.job), repeat=2)
    yield lambda: len(document.topLevelNodes()) == 3
    assert names(document)[2] == "three nuts (8)"
    rows.setFocus()
    yield 300
    yield from hand.press("Right", "Return")
    yield lambda: len(document.topLevelNodes()) == 4
    assert names(document)[3] == "three nuts (9)"


@claim
def delete_in_the_history_leaves_the_artists_layer_alone_and_can_be_undone():
    document, result = yield from candidates("a lamp", 1)
    node = layer_of(document, "a lamp (7)")
    yield from activate(document, node)
    before = node.bounds()
    rows = docker().history
    yield lambda: rows.headings()[:1] and rows.headings()[0].startswith("a lamp")
    yield from hand.click(rows.viewport(), tile(rows, 0, result.job))
    assert len(document.topLevelNodes()) == 2, "a click looks"
    yield from hand.press("Delete")
    yield lambda: not rows.headings()[:1] or not rows.headings()[0].startswith("a lamp")
    assert node.bounds() == before
    yield from hand.click(docker().pictures.undo_bar.button)
    yield lambda: rows.headings()[0].startswith("a lamp")
    assert result.job in session().history.entries


@claim
def a_picture_says_how_large_it_was_drawn():
    yield from candidates("a jar", 1)
    said = strip().caption.text()
    assert "enlarged" in said and "Seed 7" in said, said
    return said


@claim
def a_file_that_is_dropped_on_the_docker_is_inserted_wherever_it_falls():
    places = docker().widget(), docker().form_panel.prompt.viewport(), docker().history.viewport()
    for where, suffix in zip(places, ("psd", "ora", "png"), strict=True):
        document = yield from prepared()
        docker().form_panel.prompt.clear()
        drop(where, SHARE / f"dropped.{suffix}")
        yield lambda document=document: len(document.topLevelNodes()) == 2
        inserted = document.topLevelNodes()[1]
        assert inserted.type() == ("paintlayer" if suffix == "png" else "grouplayer"), suffix
        assert inserted.name() == f"dropped.{suffix}" or suffix == "png", inserted.name()
        assert not docker().form_panel.prompt.text()


def drop(where, path):
    """What Qt does with a drop: it asks the widget under the pointer that takes drops, then those around it."""
    data = QtCore.QMimeData()
    data.setUrls([QtCore.QUrl.fromLocalFile(str(path))])
    left, none, copy = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    while where is not None:
        place = where.rect().center()
        entered = QtGui.QDragEnterEvent(place, copy, data, left, none)
        entered.ignore()
        if where.acceptDrops():
            QtWidgets.QApplication.sendEvent(where, entered)
        if entered.isAccepted():
            QtWidgets.QApplication.sendEvent(where, QtGui.QDropEvent(QtCore.QPointF(place), copy, data, left, none))
            return
        where = where.parentWidget()
    raise AssertionError("nobody takes the file")


@claim
def an_enlarged_picture_is_drawn_anew_in_its_place_by_one_button():
    document, _ = yield from candidates("a vase", 1)
    before = canvas.identities(document)
    yield from activate(document, layer_of(document, "Background"))
    assert strip().sharpen.isVisible() and not strip().sharpen.isEnabled(), "the model draws at one size"
    strip().offer_sharpening(True)
    docker()._below.ensureWidgetVisible(strip().sharpen)
    yield 100
    yield from hand.click(strip().sharpen)
    yield lambda: len(canvas.identities(document)) == len(before) + 1
    yield ready
    upper, old = document.topLevelNodes()[2], document.topLevelNodes()[1]
    assert upper.visible() and not old.visible() and old.name().startswith("a vase")
    assert upper.bounds() == old.bounds()


@claim
def saving_begins_beside_the_document_proposes_a_name_and_says_that_it_is_done():
    document, result = yield from candidates("two eggs: fried", 2)
    assert document.saveAs(str(OUT / "work.kra"))
    yield 300
    docker().pictures._act("save", docker().pictures.desk.candidates()[1])
    dialog = docker().findChild(QtWidgets.QFileDialog)
    yield lambda: dialog.isVisible()
    assert dialog.directory().absolutePath() == str(OUT), dialog.directory().absolutePath()
    assert dialog.selectedFiles()[0].endswith("two eggs fried (8).png"), dialog.selectedFiles()
    dialog.accept()
    saved = OUT / "two eggs fried (8).png"
    yield saved.exists
    yield lambda: docker().error.isVisible()
    assert docker().error.text() == "Saved as two eggs fried (8).png.", docker().error.text()
    again = Krita.instance().openDocument(str(saved))
    sent = next(one for one in result.status.layers if one.layer.picture == 1)
    box = again.topLevelNodes()[0].bounds()
    assert (box.width(), box.height()) == (sent.layer.width, sent.layer.height), "the second candidate alone"


@claim
def the_actions_step_and_insert_with_the_docker_hidden():
    document, _ = yield from candidates("three owls")
    docker().setVisible(False)
    yield 100
    app = Krita.instance()
    app.action("acetate_next").trigger()
    yield 200
    assert chosen().number == 1 and docker().pictures.preview.isVisible()
    app.action("acetate_previous").trigger()
    app.action("acetate_previous").trigger()
    assert chosen().number == 2
    app.action("acetate_insert").trigger()
    yield lambda: len(document.topLevelNodes()) == 3
    assert names(document)[2] == "three owls (9)" and not docker().pictures.preview.isVisible()
    docker().setVisible(True)


@claim
def the_picture_that_forms_is_shown_large_by_a_click_until_it_is_finished():
    yield from prepared()
    type_prompt("a slow snail @sleep:0.3")
    fix_seed(7)
    docker().form_panel.steps.setValue(60)
    click(docker().button)
    yield lambda: docker().preview.has_picture
    docker()._below.ensureWidgetVisible(docker().preview)
    yield 100
    large = docker().pictures.preview
    yield from hand.click(docker().preview)
    yield large.isVisible
    assert large.width() >= 400
    click(docker().stop)
    yield ready
    yield lambda: not large.isVisible()


@claim
def every_widget_of_the_pictures_has_a_tool_tip_and_a_name_for_a_screen_reader():
    yield from candidates("two doves", 2)
    panel = docker().pictures
    shown = [*panel.strip.buttons.values(), panel.undo_bar.button, panel.strip.sharpen]
    assert all(one.toolTip() and (one.accessibleName() or one.text()) for one in shown)
    assert panel.strip.list.accessibleName() and panel.history.accessibleName() and docker().preview.accessibleName()
    for rows in (panel.strip.list, panel.history):
        items = [rows.item(row) for row in range(rows.count())]
        assert all(item.toolTip() for item in items)
        said = [item.data(int(Qt.ItemDataRole.AccessibleTextRole)) for item in items if item.data(CANDIDATE) is not None]
        assert all(said), said


@claim
def the_size_of_the_next_picture_is_said_before_the_click():
    document = yield from prepared(640, 640)
    yield lambda: "640 × 640 px" in docker().size_line.text()
    assert "drawn at" in docker().size_line.text() and "enlarged" in docker().size_line.text(), docker().size_line.text()
    yield from select(document, 10, 10, 64, 64, 255)
    yield lambda: docker().size_line.text() == "64 × 64 px"


@claim
def thumbnails_are_mirrored_where_people_read_from_right_to_left():
    yield from candidates("three cats")
    app, rows = QtWidgets.QApplication.instance(), strip().list
    first, last = rows.visualItemRect(rows.item(0)).x(), rows.visualItemRect(rows.item(2)).x()
    assert first < last
    app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        yield 300
        first, last = rows.visualItemRect(rows.item(0)).x(), rows.visualItemRect(rows.item(2)).x()
        assert first > last, (first, last)
    finally:
        app.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    yield 100


@claim
def the_context_menu_makes_a_picture_the_transparency_mask_of_the_active_layer():
    document, _ = yield from candidates("three leaves")
    node = layer_of(document, "three leaves (7)")
    yield from activate(document, node)
    docker().pictures._act("mask", docker().pictures.desk.candidates()[1])
    yield lambda: [one.type() for one in node.childNodes()] == ["transparencymask"]
    assert names(document) == ["Background", "three leaves (7)"]
