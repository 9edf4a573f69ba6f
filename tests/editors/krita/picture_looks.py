"""Pictures of the candidates, the history and the large look, for a person to look at."""

import hand
from acetate.plugins.krita.qt import Qt, QtWidgets
from choosing import candidates, strip, tile
from contract import select
from desk import OUT, docker, generate, prepared, screenshot
from krita import Krita
from pieces import claim

WIDE, NARROW = 330, 220
OWN = 0
"""Leaves the number of steps to the model, as a person looks at these pictures."""


def arranged(width):
    """The docker alone in a column of that width."""
    window = Krita.instance().activeWindow().qwindow()
    window.resize(1500, 950)
    for one in Krita.instance().dockers():
        one.setVisible(one.objectName() in ("ToolBox", docker().objectName()))
    yield 300
    window.resizeDocks([docker()], [800], Qt.Orientation.Vertical)
    window.resizeDocks([docker()], [width], Qt.Orientation.Horizontal)
    yield 500


def screen(name):
    """The whole screen: the large look is a window of its own."""
    QtWidgets.QApplication.primaryScreen().grabWindow(0).save(str(OUT / f"{name}.png"))


@claim
def candidates_and_history_are_drawn_in_a_wide_and_a_narrow_docker_and_from_right_to_left():
    yield from arranged(WIDE)
    for seed, prompt in enumerate(("a red apple", "a fox", "a green glass ball")):
        document = yield from prepared(640, 640)
        docker().form_panel.steps.setValue(OWN)
        yield from select(document, 60, 60, 500, 500, 255)
        yield from generate(prompt, seed=40 + seed)
    document, _ = yield from candidates("a blue bottle", 4, OWN)
    yield from arranged(WIDE)
    yield from hand.click(strip().list.viewport(), tile(strip().list, 1))
    yield from hand.press("s")
    yield 800
    screenshot("strip")
    yield from hand.press("space")
    yield 500
    screen("large")
    yield from hand.press("b")
    yield 500
    screen("on-canvas")
    yield from hand.press("space", "Right", "Delete")
    yield 500
    screenshot("thrown")
    docker()._below.ensureWidgetVisible(docker().history)
    yield from arranged(NARROW)
    yield 300
    screenshot("narrow")
    app = QtWidgets.QApplication.instance()
    app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    yield 500
    screenshot("right-to-left")
    app.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    yield 100
