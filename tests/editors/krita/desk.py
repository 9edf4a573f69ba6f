"""The docker in the open window, worked as an artist works it: keys, clicks, and waiting. Runs inside Krita."""

import os
from pathlib import Path

from acetate.plugins.krita import canvas
from acetate.plugins.krita.docker import Docker
from acetate.plugins.krita.qt import MAJOR, Qt, QtWidgets
from acetate.protocol import content_id
from krita import Krita
from stage import WAIT, new_document

QTest = __import__(f"PyQt{MAJOR}.QtTest", fromlist=["QTest"]).QTest
OUT = Path(os.environ["DRIVER_OUT"])
GATES = Path(os.environ.get("ACETATE_FAKE", str(OUT)))
"""Where the fake engine looks for the files that its `@gate:` words wait for."""
FAKE = os.environ["DRIVER_ENGINE"] == "fake"
QUICK_STEPS = 3
"""Of a real model, where it does not matter what the picture shows."""


def docker():
    return next(one for one in Krita.instance().dockers() if isinstance(one, Docker))


def session():
    return docker()._session


def show_docker():
    docker().setVisible(True)
    docker().raise_()


def field(name, kind=QtWidgets.QWidget):
    found = docker().findChild(kind, f"acetate_{name}")
    assert found is not None, f"the docker has no {name}"
    return found


def type_prompt(text):
    prompt = docker().form_panel.prompt
    prompt.setFocus()
    prompt.clear()
    QTest.keyClicks(prompt, text)
    assert prompt.text() == text, prompt.text()


def choose(name, value):
    combo = field(name, QtWidgets.QComboBox)
    row = combo.findData(value)
    assert row >= 0, f"{name} offers no {value}"
    combo.setCurrentIndex(row)


def click(button):
    docker()._clicked_at = float("-inf")  # a scenario is quicker than a hand, whose second click so soon would be a bounce
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def ready():
    """Connected, with nothing running."""
    return session().client is not None and session().client.connected and session().current is None


def reset():
    """The form as it is after installation, whatever the scenario before left."""
    from acetate.plugins.bridge.form import Form

    docker().form_panel.set_form(Form())
    docker().form_panel.steps.setValue(0 if FAKE else QUICK_STEPS)
    docker().form_panel.more.setChecked(False)
    docker().error.hide()


def prepared(*size, **more):
    """A new document, the docker shown, connected and reset."""
    show_docker()
    yield ready
    reset()
    document = new_document(*size, **more)
    yield lambda: document.activeNode() is not None
    show_docker()  # Krita 5.3 brings the first document's window back as it was before
    yield docker().isVisible
    return document


def generate(prompt, *, seed=7):
    """Type, click, wait until the result is in the document; returns the result."""

    def act():
        type_prompt(prompt)
        fix_seed(seed)
        click(docker().button)

    return (yield from inserted_by(act))


def inserted_by(act):
    """Do it, wait until its result is in the document and is the active layer; returns the result."""
    seen, failures = [], []
    session().inserted.connect(seen.append)
    session().failed.connect(failures.append)
    try:
        act()
        yield lambda: seen or failures
        assert not failures, failures
        yield ready
        document, above = seen[0].document, seen[0].plan.anchor
        yield lambda: (active := document.activeNode()) is not None and canvas.identity(active) != above
        return seen[0]
    finally:
        session().inserted.disconnect(seen.append)
        session().failed.disconnect(failures.append)


def activate(document, node):
    """Make it the active layer, and wait until Krita is through with making others so: new ones, whenever it gets to it."""
    document.waitForDone()
    steady = 0
    for _ in range(40):
        yield WAIT
        steady = steady + 1 if document.activeNode() == node else 0
        if steady == 2:
            return
        if not steady:
            document.setActiveNode(node)
    raise AssertionError(f"{node.name()} does not stay the active layer")


def fix_seed(seed):
    panel = docker().form_panel
    panel.new_seed.setChecked(False)
    panel.seed.set_seed(seed)


def failure_of(action, *, beginning=""):
    """Do it and wait for the failure that it shows; returns its text."""
    failures = []
    session().failed.connect(failures.append)
    try:
        action()
        yield lambda: [one for one in failures if one.code.startswith(beginning)]
        return failures[-1]
    finally:
        session().failed.disconnect(failures.append)


def layer_of(document, name):
    found = [node for node in document.topLevelNodes() if node.name() == name]
    assert len(found) == 1, [node.name() for node in document.topLevelNodes()]
    return found[0]


def assert_equals_what_the_server_sent(node, ready):
    """The node's bytes hash to what the server said about the layer before it left: nothing was changed on the way."""
    layer = ready.layer
    data = node.pixelData(layer.x, layer.y, layer.width, layer.height).data()
    assert data == ready.data, "not what arrived"
    rgba = bytearray(data)
    rgba[0::4], rgba[2::4] = data[2::4], data[0::4]
    assert content_id(bytes(rgba), "rgba8", layer.width, layer.height) == layer.sha256, "not what was sent"


def screenshot(name, whole=False):
    window = Krita.instance().activeWindow().qwindow()
    (window if whole else docker()).grab().save(str(OUT / f"{name}.png"))


def open_gate(name):
    (GATES / name).touch()
