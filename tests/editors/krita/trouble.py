"""Cancel, closed documents, servers that go away, and what is said then."""

import logging
import socket

from acetate.plugins.krita import canvas
from acetate.plugins.krita.qt import QtWidgets
from acetate.protocol import Client, Discarded
from contract import finished
from desk import (
    OUT,
    click,
    docker,
    failure_of,
    field,
    fix_seed,
    generate,
    inserted_by,
    layer_of,
    open_gate,
    prepared,
    ready,
    session,
    type_prompt,
)
from krita import Krita
from pieces import claim, names
from stage import new_document


def begin(prompt, seed=7):
    """Generate, and wait until the engine has begun."""
    type_prompt(prompt)
    fix_seed(seed)
    click(docker().button)
    yield lambda: session().current is not None and session().current.status.fraction is not None
    return session().current


def ask(what):
    """Of the test outside: it controls the server. Answers by taking the file away."""
    path = OUT / f"ask-{what}"
    path.touch()
    yield lambda: not path.exists()


@claim
def cancel_stops_the_job_and_leaves_the_document_alone():
    document = yield from prepared()
    result = yield from begin("never ends @sleep:0.05")
    docker().form_panel.steps.setValue(0)
    click(docker().stop)
    yield ready
    assert result.status.outcome in ("cancelled", "finished")
    assert names(document) == ["Background"] or result.status.outcome == "finished"
    assert docker().button.text() == "Generate" and not docker().stop.isEnabled()


@claim
def cancel_is_a_matter_of_one_step():
    document = yield from prepared()
    docker().form_panel.steps.setValue(1000)
    result = yield from begin("a long one @sleep:0.02")
    click(docker().stop)
    yield ready
    assert result.status.outcome == "cancelled"
    assert result.status.fraction < 0.9
    assert names(document) == ["Background"]
    assert not docker().error.isVisible()


@claim
def the_preview_forms_in_the_docker_and_not_in_the_document():
    document = yield from prepared()
    docker().form_panel.steps.setValue(1000)
    yield from begin("a slow one @sleep:0.05")
    yield lambda: docker().preview.has_picture and docker().preview.isVisible()
    assert names(document) == ["Background"]
    assert not document.modified()
    assert docker().progress.maximum() == 1000 and docker().progress.value() > 0
    yield lambda: "step" in docker().status.text() and "left" in docker().status.text()
    click(docker().stop)
    yield ready


@claim
def a_document_that_is_closed_meanwhile_leaves_its_result_in_the_history():
    document = yield from prepared()
    result = yield from begin("orphan @gate:orphan")
    document.setModified(False)
    document.close()
    yield 300
    failure = yield from failure_of(lambda: open_gate("orphan"), beginning="document-closed")
    assert "history" in failure.hint
    yield lambda: result.job in session().history.entries
    other = new_document()
    yield lambda: other.activeNode() is not None
    yield from inserted_by(lambda: session().insert_again(result.job, other))
    assert len(other.topLevelNodes()) == 2


@claim
def a_result_goes_into_its_own_document_whichever_is_in_front():
    document = yield from prepared()
    yield from begin("mine @gate:mine")
    other = new_document()
    yield lambda: other.activeNode() is not None
    open_gate("mine")
    yield ready
    assert names(other) == ["Background"]
    assert names(document) == ["Background", "mine @gate:mine (7)"]


@claim
def a_view_that_is_closed_meanwhile_does_no_harm():
    document = yield from prepared()
    yield from begin("in the back @gate:back")
    window = Krita.instance().activeWindow()
    before = len(window.views())
    window.addView(document)
    yield lambda: len(window.views()) == before + 1
    Krita.instance().action("file_close").trigger()
    yield lambda: len(window.views()) == before
    open_gate("back")
    yield ready
    assert names(document) == ["Background", "in the back @gate:back (7)"]


class Mistakes(logging.Handler):
    """What went wrong in slots, where Qt would not say it."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.seen = []

    def emit(self, record):
        self.seen.append(self.format(record))


@claim
def a_second_window_that_is_closed_leaves_the_first_ones_docker_at_work():
    document = yield from prepared()
    first = Krita.instance().activeWindow()
    second = Krita.instance().openWindow()
    yield lambda: len(Krita.instance().windows()) == 2
    second.qwindow().close()
    yield lambda: len(Krita.instance().windows()) == 1
    first.activate()
    yield 300
    mistakes = Mistakes()
    logging.getLogger("acetate").addHandler(mistakes)
    try:
        yield from generate("after the window")
    finally:
        logging.getLogger("acetate").removeHandler(mistakes)
    assert names(document) == ["Background", "after the window (7)"]
    assert mistakes.seen == []


@claim
def a_server_that_is_killed_and_started_again_meanwhile_finishes_the_job():
    document = yield from prepared()
    result = yield from begin("tough @gate:tough")
    yield from ask("kill")
    yield lambda: session().connection == "Reconnecting"
    assert "Reconnecting" in docker().status.text()
    open_gate("tough")
    yield from ask("start")
    yield ready
    assert result.status.outcome == "finished", result
    assert names(document) == ["Background", "tough @gate:tough (7)"]
    node = layer_of(document, "tough @gate:tough (7)")
    layer = result.status.layers[0].layer
    assert node.pixelData(layer.x, layer.y, layer.width, layer.height).data() == result.status.layers[0].data
    assert len(result.status.layers) == 1, "nothing arrives twice"


@claim
def what_others_have_deleted_is_gone_from_the_history_after_a_reconnection():
    yield from prepared()
    result = yield from generate("not for long")
    yield lambda: result.job in session().history.entries
    with Client("another") as other:
        other.discard(result.job)
        yield lambda: any(isinstance(event, Discarded) for event in other.poll())
    yield from ask("kill")
    yield from ask("start")
    yield lambda: result.job not in session().history.entries
    yield lambda: not any(text.startswith("not for long") for text in docker().history.headings())
    yield ready


@claim
def a_write_to_a_connection_that_is_gone_does_not_end_krita():
    """The system sends SIGPIPE, which ends a program that does not say otherwise; Python inside Krita says nothing."""
    ours, theirs = socket.socketpair()
    theirs.close()
    try:
        ours.send(b"anybody there?")
    except BrokenPipeError:
        return
    finally:
        ours.close()
        yield 0
    raise AssertionError("nobody noticed")


@claim
def a_failure_of_the_engine_is_said_with_details_to_copy():
    document = yield from prepared()
    type_prompt("too much @oom:denoise")
    failure = yield from failure_of(lambda: click(docker().button))
    assert failure.code == "out-of-memory"
    yield ready
    text = docker().error.text()
    assert docker().error.isVisible() and failure.hint in text
    click(field("copy_details"))
    copied = QtWidgets.QApplication.clipboard().text()
    assert "out-of-memory" in copied and Krita.instance().version() in copied and "too much" in copied
    assert names(document) == ["Background"]
    yield from generate("better luck")
    assert not docker().error.isVisible()


@claim
def an_empty_result_is_said_to_be_empty():
    document = yield from prepared()
    type_prompt("@empty")
    failure = yield from failure_of(lambda: click(docker().button))
    assert "empty" in failure.message
    yield ready
    assert names(document) == ["Background"]


@claim
def where_there_is_no_room_for_a_picture_that_is_said_and_the_history_lists_no_empty_one():
    yield from prepared(1, 1)
    type_prompt("a speck")
    failure = yield from failure_of(lambda: click(docker().button))
    assert "1 × 1" in failure.message, failure
    yield lambda: any(entry.parameters["prompt"] == "a speck" for entry in session().history.entries.values())
    yield from prepared()
    yield from generate("something")
    yield lambda: docker().history.headings()[:1] and docker().history.headings()[0].startswith("something")
    assert not any(text.startswith("a speck") for text in docker().history.headings())


@claim
def several_insertions_at_once_all_arrive():
    document = yield from prepared()
    result = yield from generate("one of many")
    for job in [result.job] * 3:
        session().insert_again(job, document)
    yield lambda: len(document.topLevelNodes()) == 3
    yield 300
    assert len(document.topLevelNodes()) == 3, "asking again while it is on its way is one insertion"
    node = document.topLevelNodes()[2]
    assert finished(canvas.read_layer(document, node, canvas.layer_box(document, node))) == result.status.layers[0].data
