"""Keys in the docker: those of a focused widget stay with it, as Krita has shortcuts on single ones."""

import hand
from acetate.plugins.krita.qt import Qt, QtCore, QtGui, QtWidgets
from acetate.protocol import Failure
from choosing import candidates
from desk import activate, docker, layer_of, open_gate, session
from krita import Krita
from moments import begin
from painting import chosen_tool
from pieces import claim

KRITAS = ("clear", "erase_action", "mirror_canvas", "KritaShape/KisToolBrush", "KisToolTransform", "view_show_canvas_only")
"""Actions of Krita's on single keys: for erasing, mirroring, tools and the canvas alone."""
SINGLE = ("Delete", "Backspace", "Return", "Enter", "Space", "Tab", "Slash", "Comma", "BracketLeft", *map(chr, range(65, 91)))
COMING_AND_GOING = {
    "acetate_copy_details",
    "acetate_generate",
    "acetate_history",
    "acetate_model",
    "acetate_queue_list",
    "acetate_ready_insert",
    "acetate_strip",
}


@claim
def no_key_of_a_focused_widget_of_the_docker_reaches_krita():
    """Each widget that takes the focus, with all that comes and goes, claims every single key, and Krita hears of none."""
    document, _ = yield from candidates("a door", 1)
    node = layer_of(document, "a door (7)")
    yield from activate(document, node)
    before, tool, fired = node.pixelData(0, 0, 400, 300).data(), chosen_tool(), []
    for name in KRITAS:
        Krita.instance().action(name).triggered.connect(lambda *_, name=name: fired.append(name))
    yield from show_everything()
    tried = {}
    try:
        for widget in docker().findChildren(QtWidgets.QWidget):
            if takes_focus(widget):
                widget.setFocus()
                yield 30
            if not widget.hasFocus():
                continue
            name = widget.objectName() or widget.metaObject().className()
            tried[name] = [key for key in SINGLE if not is_claimed(widget, getattr(Qt.Key, f"Key_{key}"))]
            yield from hand.press("Delete", "e", "m", "b", "Tab")
            assert not fired, (name, fired)
            popup = QtWidgets.QApplication.activePopupWidget()
            if popup is not None:
                popup.close()
    finally:
        put_away()
    assert not any(tried.values()), tried
    assert tried.keys() >= COMING_AND_GOING, COMING_AND_GOING - tried.keys()
    assert node.pixelData(0, 0, 400, 300).data() == before and chosen_tool() == tool
    yield lambda: not session().jobs.generations
    return list(tried)


def takes_focus(widget):
    policy, wanted = widget.focusPolicy(), Qt.FocusPolicy
    takes = policy & wanted.ClickFocus or policy == wanted.StrongFocus
    return takes and widget.isVisible() and widget.isEnabled()


def is_claimed(widget, key):
    """Whether the widget, or one around it, says before Krita's shortcuts are asked that the key is its own."""
    event = QtGui.QKeyEvent(QtCore.QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
    event.ignore()
    QtWidgets.QApplication.sendEvent(widget, event)
    return event.isAccepted()


def show_everything():
    """What comes and goes in the docker: a result that is ready, a job that runs and one that waits, a failure."""
    session().set_inserting_at_once(False)
    ready = yield from begin("a key")
    yield lambda: ready.ready
    for prompt in ("a lock @gate:keyboard", "a hinge"):
        yield from begin(prompt)
    yield docker().queue.isVisible
    docker().form_panel.more.setChecked(True)
    docker().form_panel.loras.choose((("clay", 1.0),))
    docker().error.show_failure(Failure("internal", "tried out", "Nothing is wrong."), "", may_try_again=True)
    yield 300


def put_away():
    open_gate("keyboard")
    session().cancel_all()
    for result in session().jobs.ready:
        session().jobs.cancel(result)
    session().set_inserting_at_once(True)
    docker().form_panel.more.setChecked(False)
    docker().form_panel.loras.choose(())
    docker().error.hide()
