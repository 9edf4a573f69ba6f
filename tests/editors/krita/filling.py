"""The form: whose it is, what in it was filled in by whom, and what there is to choose from."""

import json

import hand
from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.forms.styles import Style, StyleBook
from acetate.plugins.krita.forms import remembering, settings
from acetate.plugins.krita.qt import Qt, QtGui, QtWidgets
from acetate.protocol import Box, Failure
from contract import put_in, sheet
from desk import (
    OUT,
    QTest,
    activate,
    choose,
    click,
    docker,
    field,
    fix_seed,
    generate,
    inserted_by,
    prepared,
    screenshot,
    session,
    type_prompt,
)
from krita import Krita
from pieces import claim
from stage import WAIT, new_document


def panel():
    return docker().form_panel


def asked(result):
    """The parameters as the server was asked for them."""
    yield lambda: result.job in session().history.entries
    return session().history.entries[result.job].parameters


def bring_to_front(document):
    """As a click on its tab does."""
    app = Krita.instance()
    view = next(one for one in app.activeWindow().views() if one.document() == document)
    view.setVisible()
    yield lambda: app.activeDocument() == document
    yield WAIT


def grey(widget):
    ink = QtGui.QPalette.ColorRole.ButtonText if isinstance(widget, QtWidgets.QComboBox) else QtGui.QPalette.ColorRole.Text
    palette = QtWidgets.QApplication.palette()
    return widget.palette().color(QtGui.QPalette.ColorGroup.Active, ink) == palette.color(
        QtGui.QPalette.ColorGroup.Disabled, QtGui.QPalette.ColorRole.Text
    )


# --- whose the form is -----------------------------------------------------------------------------------------------


@claim
def looking_at_refine_leaves_the_form_of_the_task_before_as_it_was():
    document = yield from prepared()
    panel().steps.choose(None)
    yield from generate("a fox")
    before = panel().form()
    yield lambda: document.activeNode().name().startswith("a fox")
    choose("task", "refine")
    assert panel().prompt.text() == "a fox"
    refine = panel().form()
    assert (refine.model, refine.steps, refine.guidance_scale, refine.scheduler) == ("", None, None, ""), refine
    choose("task", "foreground")
    assert panel().form() == before


@claim
def each_document_has_its_own_form_and_going_back_brings_what_was_typed():
    first = yield from prepared()
    type_prompt("a long prompt, not generated yet")
    panel().count.setValue(3)
    second = new_document()
    yield from bring_to_front(second)
    type_prompt("something else")
    choose("task", "scene")
    panel().count.setValue(1)
    yield from bring_to_front(first)
    assert (panel().prompt.text(), panel().count.value()) == ("a long prompt, not generated yet", 3)
    assert panel().task.currentData() == "foreground"
    yield from bring_to_front(second)
    assert (panel().prompt.text(), panel().task.currentData(), panel().count.value()) == ("something else", "scene", 1)


@claim
def what_a_document_brings_can_be_taken_back_in_the_field():
    document = yield from prepared()
    yield from generate("a paper kite")
    path = str(OUT / "kite.kra")
    assert document.saveAs(path)
    document.waitForDone()
    document.close()
    yield WAIT
    yield from prepared()
    type_prompt("typed and not used")
    opened = Krita.instance().openDocument(path)
    Krita.instance().activeWindow().addView(opened)
    yield from bring_to_front(opened)
    yield lambda: panel().prompt.text() == "a paper kite"
    layers = [node.name() for node in opened.topLevelNodes()]
    yield from hand.click(panel().prompt)
    yield from hand.press("ctrl+z")
    yield lambda: panel().prompt.text() == "typed and not used"
    assert [node.name() for node in opened.topLevelNodes()] == layers, "and nothing in the document was undone"


@claim
def each_task_of_a_document_has_its_own_form():
    yield from prepared()
    type_prompt("a fox")
    panel().count.setValue(2)
    choose("task", "scene")
    assert panel().prompt.text() == "a fox", "what was typed is not lost by choosing another task"
    type_prompt("a fox at night")
    panel().count.setValue(4)
    choose("task", "foreground")
    assert (panel().prompt.text(), panel().count.value()) == ("a fox", 2)
    choose("task", "scene")
    assert (panel().prompt.text(), panel().count.value()) == ("a fox at night", 4)


@claim
def a_steps_number_chosen_for_refine_stays_whatever_layer_is_active():
    document = yield from prepared()
    yield from generate("a paper kite")
    kite = document.activeNode()
    choose("task", "refine")
    panel().steps.choose(9)
    other = put_in(document, sheet("other"))
    yield from activate(document, other)
    yield from activate(document, kite)
    yield 4 * WAIT
    assert (panel().steps.chosen(), panel().prompt.text()) == (9, "a paper kite")


@claim
def prompts_stay_out_of_the_document_where_the_artist_wants_it():
    document = yield from prepared()
    yield from generate("a secret fox")
    assert remembering.is_saved(document)
    (switch,) = (one for one in panel().settings_menu.actions() if one.text() == "Save Prompts in Documents")
    switch.trigger()
    try:
        yield from generate("another secret fox", seed=8)
        assert not remembering.is_saved(document), bytes(document.annotation("acetate").data())
        choose("task", "refine")
        assert panel().prompt.text() == "another secret fox", "while Krita runs it is known all the same"
    finally:
        settings.keep_prompts_in_documents(True)


@claim
def what_a_document_remembers_can_be_taken_out_of_it():
    document = yield from prepared()
    yield from generate("a secret fox")
    document.setModified(False)
    docker().settings_menu._take_out()
    assert not remembering.is_saved(document) and document.modified()
    assert remembering.remembered(document)["form"], "while Krita runs it is known all the same"


# --- what is whose ---------------------------------------------------------------------------------------------------


@claim
def values_of_the_models_own_are_grey_and_say_so_and_are_not_sent():
    yield from prepared()
    panel().steps.choose(None)
    assert panel().model.itemText(0) == "Default model (sketchpad)"
    sampler = panel().sampling.widgets
    assert panel().steps.text() == "Model's own (4)" and grey(panel().steps)
    assert sampler["scheduler"].currentText() == "Model's own (euler)" and grey(sampler["scheduler"])
    result = yield from generate("a fox")
    sent = yield from asked(result)
    assert not {"steps", "scheduler", "guidance_scale", "model"} & {name for name, value in sent.items() if value is not None}
    panel().steps.choose(7)
    assert not grey(panel().steps) and panel().steps.text() == "7"
    result = yield from generate("a fox", seed=9)
    assert (yield from asked(result))["steps"] == 7


@claim
def random_is_a_box_with_a_tick_that_greys_the_seed():
    yield from prepared()
    box = field("new_seed", QtWidgets.QCheckBox)
    assert box.text() == "Random" and box.isChecked() and not panel().seed.isEnabled()
    click(box)
    assert not box.isChecked() and panel().seed.isEnabled()


@claim
def more_shows_what_changes_something_for_the_task_and_the_model():
    yield from prepared()
    panel().more.setChecked(True)
    shown = panel().sampling.widgets
    assert shown["injection"].isVisible() and shown["stop_at"].isVisible()
    assert not shown["layer_weight"].isVisible(), "the fake family says that it changes nothing there"
    shown["layer_weight"].setValue(0.5)
    choose("task", "scene")
    assert shown["layer_weight"].isVisible()
    choose("task", "foreground")
    shown["stop_at"].setValue(0.8)
    result = yield from generate("a fox")
    sent = yield from asked(result)
    assert sent["stop_at"] == 0.8 and sent.get("layer_weight", 1.0) == 1.0
    panel().set_form(Form())


@claim
def single_steps_are_there_under_more_and_take_two_layers():
    document = yield from prepared()
    rows = [panel().task.itemData(row) for row in range(panel().task.count())]
    step = rows.index("extract-background")
    assert panel().task.view().isRowHidden(step)
    panel().more.setChecked(True)
    assert not panel().task.view().isRowHidden(step)
    picture = put_in(document, sheet("picture", 20, 30, 64, 48))
    other = put_in(document, sheet("other", 0, 0, 32, 32))
    top = put_in(document, sheet("cut out", 30, 40, 16, 16))
    yield from activate(document, top)
    choose("task", "extract-background")
    assert panel()._rows["besides"][1].isVisible()
    result = yield from generate("a street")
    assert result.plan.besides.node == other and result.status.layers[0].layer.box == Box(0, 0, 32, 32)
    yield from activate(document, top)
    yield lambda: panel().besides.findText("picture") > 0
    panel().besides.setCurrentIndex(panel().besides.findText("picture"))
    result = yield from generate("a street", seed=9)
    assert result.status.layers[0].layer.box == Box(20, 30, 64, 48)
    assert result.plan.besides.node == picture
    choose("task", "blend")
    assert not panel()._rows["besides"][1].isVisible()
    yield from activate(document, top)
    result = yield from generate("a street", seed=10)
    assert result.status.layers[0].layer.role == "blended"
    panel().set_form(Form())


# --- LoRAs, embeddings, styles ---------------------------------------------------------------------------------------


@claim
def a_lora_is_searched_weighted_and_sent():
    yield from prepared()
    panel().more.setChecked(True)
    yield 3 * WAIT  # the form has become longer
    panel().parentWidget().parentWidget().ensureWidgetVisible(field("add_lora"))
    yield 3 * WAIT
    screenshot("before-adding")
    yield from hand.click(field("add_lora"))
    picker = panel().loras.picker
    yield picker.isVisible
    names = [picker.list.item(row).text() for row in range(picker.list.count())]
    assert names == ["clay", "ink wash"], "and not the one for another family"
    yield lambda: "ink wash" in picker._pictures  # the picture beside the file
    picker.grab().save(str(OUT / "picker.png"))
    yield from hand.type_text("inkst")
    yield lambda: picker.search.text() == "inkst"
    assert [name for row, name in enumerate(names) if not picker.list.item(row).isHidden()] == ["ink wash"], "by a trigger word"
    assert "Trigger words: inkstyle, lineart" in picker.list.item(1).toolTip()
    yield from hand.press("Return")
    yield lambda: not picker.isVisible()
    assert panel().loras.chosen() == (("ink wash", 1.0),)
    panel().loras.findChild(QtWidgets.QDoubleSpinBox).setValue(0.65)
    type_prompt("a fox")
    click(field("lora_words"))
    assert panel().prompt.text() == "a fox, inkstyle, lineart"
    screenshot("loras")
    fix_seed(3)
    result = yield from inserted_by(lambda: click(docker().button))
    assert [list(one) for one in (yield from asked(result))["loras"]] == [["ink wash", 0.65]]
    click(field("remove_lora"))
    assert panel().loras.chosen() == ()


@claim
def names_of_loras_and_embeddings_are_completed_in_the_prompt():
    yield from prepared()
    prompt = panel().prompt
    popup = prompt._completer.popup()
    yield from hand.click(prompt)
    yield from hand.type_text("a fox <lora:in")
    yield popup.isVisible
    popup.grab().save(str(OUT / "completion.png"))
    yield from hand.press("Return")
    yield lambda: prompt.text() == "a fox <lora:ink wash:1>"
    assert not popup.isVisible()
    yield from hand.type_text(", embedding:ha")
    yield popup.isVisible
    yield from hand.press("Tab")
    yield lambda: prompt.text() == "a fox <lora:ink wash:1>, embedding:bad-hands"
    assert prompt.hasFocus(), "Tab has not gone to the next field"
    yield from hand.press("ctrl+z")
    yield lambda: prompt.text().endswith("embedding:ha")
    yield from hand.type_text("n")
    yield popup.isVisible
    yield from hand.press("Escape")
    assert not popup.isVisible() and prompt.text().endswith("embedding:han")


@claim
def a_style_goes_around_the_prompt_that_stays_as_typed():
    yield from prepared()
    book = StyleBook()
    book.keep(Style("oil", "an oil painting of {prompt}", "photo", {"steps": 6}))
    panel().style.use(book)
    choose("style", "oil")
    assert panel().steps.chosen() == 6
    result = yield from generate("a fox")
    sent = yield from asked(result)
    assert (sent["prompt"], sent["negative_prompt"], sent["steps"]) == ("an oil painting of a fox", "photo", 6)
    assert panel().prompt.text() == "a fox"
    choose("task", "refine")
    assert panel().prompt.text() == "a fox", "and the style does not go around twice"
    choose("task", "foreground")
    choose("style", "")
    assert panel().form().style_prompt == ""


@claim
def the_present_settings_are_kept_as_a_style_over_restarts():
    yield from prepared()
    panel().steps.choose(5)
    panel().style.ask()
    (dialog,) = (one for one in panel().style.findChildren(QtWidgets.QDialog) if one.isVisible())
    save = dialog.buttons.button(QtWidgets.QDialogButtonBox.StandardButton.Save)
    assert not save.isEnabled(), "without a name"
    QTest.keyClicks(dialog.name, "quick")
    dialog.prompt.setPlainText("{prompt}, quick sketch")
    click(save)
    assert panel().form().style == "quick" and panel().form().style_prompt == "{prompt}, quick sketch"
    kept = json.loads(Krita.instance().readSetting("acetate", "styles", ""))
    assert kept[-1] == {"name": "quick", "prompt": "{prompt}, quick sketch", "negative_prompt": "", "settings": {"steps": 5}}
    panel().style._remove()
    assert panel().form().style == "" and "quick" not in settings.styles()


# --- the server ------------------------------------------------------------------------------------------------------


@claim
def the_servers_address_is_tested_before_it_is_used():
    yield from prepared()
    docker().settings_menu.ask_for_server()
    (dialog,) = (one for one in panel().findChildren(QtWidgets.QDialog, "acetate_server_dialog") if one.isVisible())
    assert dialog.local.isChecked() and not dialog.url.isEnabled()
    click(dialog.test)
    yield lambda: "answers" in dialog.answer.text()
    dialog.other.setChecked(True)
    click(dialog.test)
    assert "no server's address" in dialog.answer.text()
    QTest.keyClicks(dialog.url, "127.0.0.1:9")
    click(dialog.test)
    assert "token is missing" in dialog.answer.text()
    QTest.keyClicks(dialog.token, "wrong")
    click(dialog.test)
    yield dialog.test.isEnabled
    assert "o answer from ws://127.0.0.1:9" in dialog.answer.text(), dialog.answer.text()
    dialog.url.setText(json.loads((OUT.parent / "acetate" / "server.json").read_text())["url"])
    click(dialog.test)
    yield dialog.test.isEnabled
    assert "does not know this token" in dialog.answer.text(), dialog.answer.text()
    dialog.grab().save(str(OUT / "server.png"))
    dialog.reject()


@claim
def a_named_server_is_used_and_the_one_on_this_computer_again():
    yield from prepared()
    said = json.loads((OUT.parent / "acetate" / "server.json").read_text())
    docker().settings_menu.ask_for_server()
    (dialog,) = (one for one in panel().findChildren(QtWidgets.QDialog, "acetate_server_dialog") if one.isVisible())
    dialog.other.setChecked(True)
    dialog.url.setText(said["url"])
    dialog.token.setText(said["token"])
    before = session().client
    click(dialog.buttons.button(QtWidgets.QDialogButtonBox.StandardButton.Ok))
    yield lambda: session().client is not before and session().client.connected
    kept = OUT.parent / "acetate" / "editors.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    yield from generate("a fox")
    docker().settings_menu._choose(None)
    assert not kept.exists()
    yield lambda: session().client.connected


@claim
def the_form_is_drawn_whole_in_a_tall_docker():
    yield from prepared()
    app, window = Krita.instance(), Krita.instance().activeWindow().qwindow()
    window.resize(1500, 950)
    hidden = [one for one in app.dockers() if one.isVisible() and one is not docker()]
    for one in hidden:
        one.setVisible(False)
    panel().more.setChecked(True)
    panel().loras.choose((("ink wash", 0.65), ("clay", 1.0), ("elsewhere", 1.0)))
    yield 6 * WAIT
    window.resizeDocks([docker()], [300], Qt.Orientation.Horizontal)
    yield 6 * WAIT
    screenshot("tall", whole=True)
    choose("task", "scene")
    panel().steps.choose(12)
    yield 4 * WAIT
    screenshot("scene")
    for one in hidden:
        one.setVisible(True)
    panel().set_form(Form())


# --- every widget ----------------------------------------------------------------------------------------------------


@claim
def every_widget_has_a_tool_tip_and_a_name():
    yield from prepared()
    panel().loras.choose((("ink wash", 1.0),))
    silent = []
    for widget in panel().findChildren(QtWidgets.QWidget):
        named = widget.objectName().startswith("acetate_")
        if (
            not named
            or isinstance(widget, (QtWidgets.QMenu, QtWidgets.QDialog))
            or widget.objectName().endswith(("_row", "_picker"))
        ):
            continue
        texts = (widget.toolTip(), widget.accessibleName())
        silent += [widget.objectName()] if not all(texts) else []
    panel().loras.choose(())
    assert not silent, silent


@claim
def a_long_path_never_widens_the_docker():
    yield from prepared()
    window = Krita.instance().activeWindow().qwindow()
    window.resizeDocks([docker()], [220], Qt.Orientation.Horizontal)
    yield 3 * WAIT
    panel().more.setChecked(True)
    panel().loras.choose((("a-very-long-name-of-a-lora-that-nobody-can-read-in-a-narrow-docker-v3-final", 1.0),))
    before = docker().width()
    path = "/home/somebody/" + "a_folder_with_a_long_name-" * 6 + "/model.safetensors"
    docker()._show_failure(Failure("model-missing", f"{path} is not there", f"put it to {path}"))
    docker().status.setText(path)
    docker().status.show()
    yield 3 * WAIT
    assert docker().width() == before, (before, docker().width())
    assert path in docker().error.text()
    screenshot("narrow")
    panel().loras.choose(())
    docker().error.hide()
    docker()._show_state()


@claim
def closing_the_last_document_leaves_the_form_as_it_is():
    yield from prepared()
    type_prompt("typed before closing")
    for one in Krita.instance().documents():
        one.setModified(False)
        one.close()
    yield lambda: not Krita.instance().documents()
    yield 3 * WAIT
    assert panel().prompt.text() == "typed before closing"
    yield from prepared()


@claim
def what_was_typed_and_not_used_is_kept_when_krita_ends():
    """The test looks into kritarc afterwards."""
    yield from prepared()
    type_prompt("typed at the end")
