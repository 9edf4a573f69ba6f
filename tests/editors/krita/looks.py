"""Pictures of the docker, for a person to look at."""

from acetate.plugins.krita.qt import Qt
from desk import click, docker, field, fix_seed, generate, open_gate, prepared, ready, screenshot, session, type_prompt
from krita import Krita
from pieces import claim


@claim
def the_docker_is_drawn_in_all_its_states():
    window = Krita.instance().activeWindow().qwindow()
    window.resize(1500, 950)
    for one in Krita.instance().dockers():  # as an artist arranges a narrow column
        if one.objectName() in ("PresetDocker", "ColorSelectorNg", "sharedtooldocker"):
            one.setVisible(False)
    yield from prepared(800, 600)
    yield 300
    window.resizeDocks([docker()], [640], Qt.Orientation.Vertical)
    window.resizeDocks([docker()], [290], Qt.Orientation.Horizontal)
    yield 500
    screenshot("idle")
    for seed, prompt in enumerate(("a glass bottle, soft light", "red apple", "a paper kite with a long tail in the wind")):
        yield from generate(prompt, seed=1234 + seed)
    yield 600
    screenshot("history")
    screenshot("window", whole=True)
    type_prompt("smoke from a candle @gate:later")
    click(docker().button)
    yield lambda: session().current and session().current.watch.text != "Sending"
    yield 500
    screenshot("generating")
    open_gate("later")
    yield ready
    docker().form_panel.task.setCurrentIndex(4)
    docker().form_panel.more.setChecked(True)
    yield 200
    screenshot("refine")
    docker().form_panel.more.setChecked(False)
    docker().form_panel.task.setCurrentIndex(0)
    fix_seed(3)
    type_prompt("out of luck @oom:denoise")
    click(docker().button)
    yield lambda: docker().error.isVisible()
    yield 300
    screenshot("error")
    assert field("error").isVisible()
