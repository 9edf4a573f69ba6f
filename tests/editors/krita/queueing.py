"""Several jobs at once: asking for the next while one runs, the list of them, and what is said while nobody sees the docker."""

import logging
import subprocess

from acetate.plugins.bridge.status.log_file import log_file
from acetate.plugins.krita import plugin
from acetate.plugins.krita.docker import Docker
from acetate.plugins.krita.qt import Qt, QtWidgets, guarded
from acetate.plugins.krita.window.actions import ACTIONS
from acetate.protocol import Client, Parameters
from desk import (
    QTest,
    click,
    docker,
    failure_of,
    field,
    fix_seed,
    generate,
    open_gate,
    prepared,
    ready,
    screenshot,
    session,
    show_docker,
    type_prompt,
)
from krita import Krita
from pieces import claim, names

gates = set()
"""Those that jobs of a scenario wait for."""


def fresh():
    """A new document, with nothing left of a scenario that did not come to its end."""
    show_docker()
    yield lambda: session().client is not None and session().client.connected
    for gate in gates:
        open_gate(gate)
    session().cancel_all()
    yield everything_is_over
    return (yield from prepared())


def ask(prompt, seed=7):
    """Type and click, without waiting for anything."""
    gates.update(word.removeprefix("@gate:") for word in prompt.split() if word.startswith("@gate:"))
    type_prompt(prompt)
    fix_seed(seed)
    click(docker().button)
    return session().jobs.generations[-1]


def running(result):
    return lambda: result.status.running and result.status.fraction is not None


def rows():
    """The list as it is shown: what each row says, and whose buttons can be pressed."""
    shown = docker().queue.list
    return [shown.row_widget(number) for number in range(shown.count())]


def titles():
    return [row._title.toolTip() for row in rows()]


def hand(*arguments):
    """The real mouse and keyboard."""
    subprocess.run(["xdotool", *map(str, arguments)], check=True)


def point(widget):
    """The real pointer over the middle of a widget, which is scrolled to first."""
    if docker()._below.isAncestorOf(widget):
        docker()._below.ensureWidgetVisible(widget)
        docker().queue.list.scrollToItem(docker().queue.list.itemAt(widget.parentWidget().pos()))
    at = widget.mapToGlobal(widget.rect().center())
    hand("mousemove", at.x(), at.y())


class Stranger:
    """Another program at the same server."""

    def __init__(self, prompt, **more):
        self.client = Client("gimp 3.0")
        self.client.connect()
        gates.update(word.removeprefix("@gate:") for word in prompt.split() if word.startswith("@gate:"))
        self.job = self.client.submit("foreground", Parameters(prompt=prompt, steps=4), keep=False, **more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()


def everything_is_over():
    return ready() and not session().jobs.generations and not session().queue.rows


@claim
def generate_stays_available_while_a_job_runs_and_each_result_arrives():
    document = yield from fresh()
    first = ask("one @gate:one")
    yield running(first)
    assert docker().button.isEnabled() and docker().button.text() == "Generate" and docker().stop.isEnabled()
    second = ask("two", seed=8)
    third = ask("three", seed=9)
    yield lambda: docker().queue.isVisible() and docker().queue.summary.text() == "1 running, 2 waiting"
    assert titles() == ["one @gate:one", "two", "three"]
    yield lambda: third.status.text == "Waiting, 1 ahead of this"
    open_gate("one")
    yield everything_is_over
    assert [one.status.outcome for one in (first, second, third)] == ["finished"] * 3
    assert sorted(names(document)) == ["Background", "one @gate:one (7)", "three (9)", "two (8)"]
    assert not docker().queue.isVisible() and not docker().stop.isEnabled()


@claim
def a_row_of_the_queue_follows_its_job_step_by_step():
    yield from fresh()
    docker().form_panel.steps.setValue(1000)
    first = ask("a long one @sleep:0.02")
    yield running(first)
    ask("another one", seed=8)
    yield lambda: docker().queue.isVisible() and titles() == ["a long one @sleep:0.02", "another one"]
    seen = []

    def compare():
        seen.append((rows()[0]._text.toolTip(), first.status.text))

    session().changed.connect(compare)
    try:
        yield lambda: len({said for _, said in seen}) > 5
    finally:
        session().changed.disconnect(compare)
    late = [both for both in seen if both[0] != both[1]]
    assert not late, late
    session().cancel_all()
    yield everything_is_over


@claim
def the_real_mouse_stops_a_waiting_job_and_puts_another_in_front():
    document = yield from fresh()
    first = ask("one @gate:front")
    yield running(first)
    second, _, fourth = ask("two", 8), ask("three", 9), ask("four", 10)
    yield lambda: len(rows()) == 4 and fourth.status.accepted
    yield 200
    point(rows()[3].front)
    hand("click", 1)
    yield lambda: titles() == ["one @gate:front", "four", "two", "three"]
    yield 200
    assert not rows()[1].front.isEnabled(), "it is in front"
    point(rows()[2].stop)
    hand("click", 1)
    yield lambda: second.over and titles() == ["one @gate:front", "four", "three"]
    screenshot("queue-of-three")
    open_gate("front")
    yield everything_is_over
    assert second.status.outcome == "cancelled" and not docker().error.isVisible()
    assert "two (8)" not in names(document) and len(document.topLevelNodes()) == 4


@claim
def keys_of_the_list_stay_in_the_list():
    """Delete would else erase the artist's layer."""
    document = yield from fresh()
    first = ask("one @gate:keys")
    yield running(first)
    second, third = ask("two", 8), ask("three", 9)
    yield lambda: len(rows()) == 3 and third.status.accepted
    before = document.activeNode().bounds()
    shown = docker().queue.list
    shown.setFocus()
    shown.setCurrentRow(2)
    yield 100
    hand("key", "ctrl+Up")
    yield lambda: titles() == ["one @gate:keys", "three", "two"]
    shown.setCurrentRow(2)
    yield 100
    hand("key", "Delete")
    yield lambda: second.over
    assert document.activeNode().bounds() == before and not third.over
    open_gate("keys")
    yield everything_is_over


@claim
def cancel_stops_what_runs_and_cancel_all_everything_but_other_programs_jobs():
    document = yield from fresh()
    docker().form_panel.steps.setValue(1000)
    first = ask("a long one @sleep:0.02")
    yield running(first)
    second = ask("another long one @sleep:0.02")
    Krita.instance().action("acetate_cancel").trigger()
    yield lambda: first.over
    yield running(second)
    with Stranger("a wolf @gate:wolf") as other:
        third = ask("never")
        yield lambda: any(row.job == other.job for row in session().queue.rows)
        Krita.instance().action("acetate_cancel_all").trigger()
        yield lambda: second.over and third.over
        yield lambda: [row.job for row in session().queue.rows] == [other.job]
    open_gate("wolf")
    yield everything_is_over
    assert [one.status.outcome for one in (first, second, third)] == ["cancelled"] * 3
    assert names(document) == ["Background"] and not docker().error.isVisible()


@claim
def another_programs_job_is_named_waited_for_and_can_be_stopped():
    yield from fresh()
    with Stranger("a wolf @gate:stranger") as other:
        yield lambda: docker().queue.isVisible() and titles() == ["a wolf @gate:stranger"]
        yield lambda: "gimp 3.0" in rows()[0]._text.toolTip()
        mine = ask("after the wolf")
        yield lambda: docker().status.text().startswith("Waiting for “a wolf @gate:stranger” (gimp 3.0)")
        row = next(one for one in rows() if one._job == other.job)
        click(row.stop)
        yield lambda: row._text.toolTip().endswith("Stopping")
        open_gate("stranger")  # the engine stops between two steps
        yield lambda: mine.status.running or mine.over
    yield everything_is_over
    assert mine.status.outcome == "finished"


@claim
def a_bouncing_pen_generates_once():
    document = yield from fresh()
    type_prompt("once")
    fix_seed(7)
    yield 100
    point(docker().button)
    before = docker().button.mapToGlobal(docker().button.rect().center())
    hand("click", "--repeat", 2, "--delay", 120, 1)
    yield lambda: session().jobs.generations or len(document.topLevelNodes()) == 2
    assert docker().button.mapToGlobal(docker().button.rect().center()) == before, "nothing moves under the pointer"
    yield everything_is_over
    yield 500
    assert names(document) == ["Background", "once (7)"]


@claim
def the_buttons_stay_where_they_are_in_a_low_docker_whatever_comes_below_them():
    yield from fresh()
    show_docker()
    docker().setFloating(True)
    docker().resize(260, 420)
    yield 200

    def place():
        return [button.mapTo(docker(), button.rect().topLeft()) for button in (docker().button, docker().stop)]

    try:
        before = place()
        first = ask("one @gate:low")
        yield running(first)
        ask("two", 8)
        yield lambda: docker().queue.isVisible()
        session().noted.emit("A note of some length, which takes two or three lines in a narrow docker.")
        yield 200
        assert place() == before
        assert docker().width() == 260
        screenshot("low")
    finally:
        open_gate("low")
        docker().setFloating(False)
        docker().error.hide()
    yield everything_is_over


@claim
def loading_shows_no_share_and_later_steps_do():
    yield from fresh()
    seen = []
    session().changed.connect(lambda: seen.append((docker().status.text(), docker().progress.maximum())))
    result = ask("a slow one @sleep:0.05")
    yield lambda: result.over
    yield everything_is_over
    assert all(maximum == 0 for text, maximum in seen if text.startswith("Loading")), seen
    assert any(maximum == 1000 for text, maximum in seen if text.startswith("Drawing")), seen


@claim
def with_the_docker_behind_a_tab_the_view_says_what_happens():
    """Error, progress and arrival, each as one of Krita's own messages."""
    document = yield from fresh()
    docker().setVisible(False)
    yield 200
    said = docker().floating
    try:
        docker().form_panel.prompt.clear()
        Krita.instance().action("acetate_generate").trigger()
        yield lambda: "The prompt is empty" in said.last
        yield lambda: any(one.metaObject().className() == "KisFloatingMessage" for one in QtWidgets.QApplication.allWidgets())
        screenshot("floating-error", whole=True)
        docker().form_panel.prompt.setPlainText("a kite @gate:kite")
        fix_seed(7)
        Krita.instance().action("acetate_generate").trigger()
        yield lambda: "Reading the picture" in said.last or "Drawing" in said.last
        open_gate("kite")
        yield lambda: said.last == "Acetate: “a kite @gate:kite” is in the document"
        yield everything_is_over
        assert names(document) == ["Background", "a kite @gate:kite (7)"]
    finally:
        show_docker()
    said.last = ""
    yield from generate("seen")
    assert said.last == "", "the docker says it itself"


@claim
def what_lies_ready_is_said_in_the_view_of_a_hidden_docker():
    document = yield from fresh()
    session().set_inserting_at_once(False)
    docker().setVisible(False)
    try:
        docker().form_panel.prompt.setPlainText("for later")
        Krita.instance().action("acetate_generate").trigger()
        yield lambda: session().jobs.ready
        assert docker().floating.last == "Acetate: ready to insert", docker().floating.last
        session().jobs.cancel(session().jobs.ready[0])
        yield lambda: not session().jobs.ready
        assert names(document) == ["Background"]
    finally:
        session().set_inserting_at_once(True)
        show_docker()


@claim
def show_docker_puts_the_cursor_into_the_prompt():
    document = yield from fresh()
    docker().setVisible(False)
    yield 200
    Krita.instance().action("acetate_show").trigger()
    yield lambda: docker().isVisible() and docker().form_panel.prompt.hasFocus()
    docker().form_panel.prompt.clear()
    hand("type", "--delay", 60, "a cat")
    yield lambda: docker().form_panel.prompt.text() == "a cat"
    assert document.activeNode().name() == "Background"


@claim
def every_action_has_a_text_an_icon_and_no_shortcut_of_its_own():
    for name, action in ACTIONS.items():
        made = Krita.instance().action(name)
        assert made is not None and made.text() == action.text, name
        assert not made.icon().pixmap(16).isNull(), f"{name} has no icon {action.icon}"
        assert made.shortcut().isEmpty(), name
    yield 0


@claim
def the_status_line_names_server_device_and_model():
    yield from fresh()
    yield from generate("a model is there now")
    yield lambda: docker().status.text().startswith("This computer · ")
    assert session().engine.devices[0].name in docker().status.text()
    assert session().url in docker().status.toolTip()


@claim
def each_docker_works_on_its_own_windows_document_whichever_is_in_front():
    document = yield from fresh()
    first = Krita.instance().activeWindow()
    second = Krita.instance().openWindow()
    yield lambda: len(Krita.instance().windows()) == 2
    other = Krita.instance().createDocument(200, 100, "other", "RGBA", "U8", "", 72.0)
    other.setBatchmode(True)
    second.addView(other)
    yield 500
    try:
        dockers = [plugin.docker_of(window) for window in (first, second)]
        assert [one.document().width() for one in dockers] == [400, 200]
        behind = dockers[0 if Krita.instance().activeDocument().width() == 200 else 1]
        behind.form_panel.prompt.setPlainText("here")
        behind.form_panel.new_seed.setChecked(False)
        behind.form_panel.seed.set_seed(7)
        QTest.mouseClick(behind.button, Qt.MouseButton.LeftButton)
        yield lambda: session().jobs.generations
        yield everything_is_over
        into, not_into = (other, document) if behind is dockers[1] else (document, other)
        assert "here (7)" in names(into) and len(not_into.topLevelNodes()) == 1
    finally:
        other.setModified(False)  # or Krita would ask
        other.close()
        second.qwindow().close()
        yield lambda: len(Krita.instance().windows()) == 1
        first.activate()
        yield 300


@claim
def a_mistake_in_a_slot_is_shown_with_the_log_and_what_to_copy():
    yield from fresh()

    @guarded
    def clumsy():
        raise ValueError("a clumsy slot")

    logging.getLogger("acetate").disabled = True  # the driver takes what is logged as an error for a mistake of ours
    logger = logging.getLogger("acetate.plugins.krita.qt")
    heard, logger.propagate = [], False
    handler = logging.Handler()
    handler.emit = heard.append
    logger.addHandler(handler)
    try:
        failure = yield from failure_of(clumsy)
    finally:
        logger.propagate = True
        logger.removeHandler(handler)
        logging.getLogger("acetate").disabled = False
    assert failure.code == "internal" and "a clumsy slot" in docker().error.text() and heard
    click(field("copy_details"))
    copied = QtWidgets.QApplication.clipboard().text()
    assert "a clumsy slot" in copied and str(log_file("krita")) in copied
    assert log_file("krita").exists() and field("open_log").isVisible()
    docker().error.hide()


@claim
def whatever_work_on_a_thread_raises_is_told():
    yield from fresh()

    def exhausting():
        raise MemoryError

    told = []
    session()._host.on_thread(exhausting, lambda result, error: told.append(error))
    yield lambda: told
    assert isinstance(told[0], MemoryError)


@claim
def a_window_without_our_docker_says_so():
    class NoDockers:
        def dockers(self):
            return [one for one in Krita.instance().dockers() if not isinstance(one, Docker)]

    assert plugin.docker_of(NoDockers()) is None
    yield 0
