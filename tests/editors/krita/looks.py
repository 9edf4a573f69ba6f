"""Pictures of the docker, for a person to look at."""

from dataclasses import replace

from acetate.plugins.krita.qt import Qt
from contract import select
from desk import FAKE, click, docker, generate, prepared, ready, screenshot, session, type_prompt
from krita import Krita
from pieces import claim

PLACES = {"a red apple": (30, 340, 280, 280), "a green glass ball": (330, 250, 280, 280), "a fox": (40, 30, 280, 280)}
"""On the canvas: x, y, width, height."""


@claim
def the_docker_is_drawn_in_all_its_states():
    window = Krita.instance().activeWindow().qwindow()
    window.resize(1500, 950)
    document = yield from prepared(640, 640)
    for one in Krita.instance().dockers():  # as an artist with a narrow column arranges them
        one.setVisible(one.objectName() in ("ToolBox", "KisLayerBox", docker().objectName()))
    docker().form_panel.steps.setValue(0)
    yield 300
    window.resizeDocks([docker()], [640], Qt.Orientation.Vertical)
    window.resizeDocks([docker()], [290], Qt.Orientation.Horizontal)
    yield lambda: session().engine is not None and session().engine.state == "ready"
    yield 500
    screenshot("idle")
    for seed, (prompt, place) in enumerate(PLACES.items()):
        yield from select(document, *place, 255)
        yield from generate(prompt, seed=1234 + seed)
        yield 300
    document.setSelection(None)
    yield 600
    screenshot("history")
    docker().error.hide()
    document.topLevelNodes()[0].setVisible(False)  # so that the transparency is seen
    document.refreshProjection()
    yield 500
    screenshot("window", whole=True)
    type_prompt("a green parrot @sleep:0.1" if FAKE else "a green parrot")
    docker().form_panel.steps.setValue(60)
    click(docker().button)
    yield lambda: docker().preview.has_picture and (session().current.status.fraction or 0) > 0.35
    yield 200
    screenshot("generating")
    for prompt in ("a red fox", "a long-necked bottle of green glass with a cork"):
        type_prompt(prompt)
        click(docker().button)
    yield lambda: docker().queue.list.count() == 3
    yield 300
    screenshot("queue")
    Krita.instance().action("acetate_cancel_all").trigger()
    yield ready
    docker().form_panel.task.setCurrentIndex(4)
    docker().form_panel.more.setChecked(True)
    yield 200
    screenshot("refine")
    docker().form_panel.more.setChecked(False)
    docker().form_panel.task.setCurrentIndex(0)
    type_prompt("out of luck @oom:denoise" if FAKE else "out of luck")
    if not FAKE:
        docker().form_panel.set_form(replace(docker().form_panel.form(), model="of another machine"))
    click(docker().button)
    yield lambda: docker().error.isVisible()
    yield 300
    screenshot("error")
    session().noted.emit("The text layer “Title” was turned into pixels. Two adjustment layers were left out.")
    yield 200
    screenshot("note")
