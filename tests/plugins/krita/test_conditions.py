import pytest
from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.job import reading
from acetate.plugins.bridge.job_status import JobStatus
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.krita import canvas, conditions
from acetate.plugins.krita.host import KritaHost
from acetate.protocol import Box

CANVAS = Box(0, 0, 40, 30)


def read(document, form, plan):
    """The pictures that the plan takes, by the protocol's names."""
    host = KritaHost(document.app)
    work = reading(host, PendingResult(JobStatus(), document, plan, form))
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


@pytest.fixture
def document(app):
    """A canvas of 40 x 30 with an active layer of 10 x 8 at (5, 6)."""
    made = app.createDocument(40, 30)
    layer = made.createNode("layer", "paintlayer")
    layer.setPixelData(bytes(range(1, 81)) * 4, 5, 6, 10, 8)
    made.rootNode().addChildNode(layer, None)
    made.setActiveNode(layer)
    return made


def select(krita, document, *box):
    selection = krita.Selection()
    selection.select(*box, 255)
    document.setSelection(selection)


def test_a_layer_from_nothing_goes_above_the_active_one_and_fills_the_canvas(document):
    plan = conditions.plan(document, Form(prompt="fig"))
    assert (plan.box, plan.anchor, plan.source) == (CANVAS, canvas.identity(document.activeNode()), None)
    assert read(document, Form(prompt="fig"), plan) == {}


def test_a_selection_decides_the_place(krita, document):
    select(krita, document, 30, 20, 20, 20)
    assert conditions.plan(document, Form(prompt="fig")).box == Box(30, 20, 20, 20)
    assert conditions.plan(document, Form(prompt="fig", area="canvas")).box == CANVAS


@pytest.mark.parametrize(("task", "role"), [("refine", "source"), ("object", "background"), ("upscale", "source")])
def test_tasks_on_a_layer_take_its_place_and_its_pixels(document, task, role):
    form = Form(task=task, prompt="fig", scale=1.0)
    plan = conditions.plan(document, form)
    assert plan.box == Box(5, 6, 10, 8)
    pictures = read(document, form, plan)
    assert set(pictures) == {role}
    sent = pictures[role]
    assert (sent.x, sent.y, sent.content.width, sent.content.height, sent.content.format) == (5, 6, 10, 8, "bgra8")
    assert sent.content.data == bytes(range(1, 81)) * 4


def test_a_background_is_made_for_the_layer_where_it_lies(document):
    form = Form(task="background", prompt="beach")
    plan = conditions.plan(document, form)
    assert plan.box == CANVAS
    assert read(document, form, plan)["foreground"].x == 5


def test_upscaling_names_the_larger_box_and_the_layer(document):
    plan = conditions.plan(document, Form(task="upscale", scale=3.0))
    assert (plan.box, plan.name) == (Box(5, 6, 30, 24), document.activeNode().name())


def test_repainting_sends_the_selection_over_the_layer_and_what_is_selected_beside_it(krita, document):
    select(krita, document, 12, 10, 8, 4)
    form = Form(task="repaint", prompt="fig")
    plan = conditions.plan(document, form)
    assert plan.box == Box(5, 6, 15, 8)
    mask = read(document, form, plan)["mask"].content
    assert (mask.width, mask.height, mask.format) == (15, 8, "gray8")
    assert sum(mask.data) == 255 * 8 * 4


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (Form(), "prompt is empty"),
        (Form(task="repaint", prompt="fig"), "Nothing is selected"),
        (Form(task="upscale", scale=16.0), None),
        (Form(prompt="fig", area="custom", width=9000, height=9), "too large"),
    ],
)
def test_what_cannot_be_done_is_said_before(document, form, said):
    if said is None:
        assert conditions.plan(document, form)
        return
    with pytest.raises(RefusedError, match=said):
        conditions.plan(document, form)


def test_an_empty_layer_cannot_be_refined(document):
    empty = document.createNode("nothing", "paintlayer")
    document.rootNode().addChildNode(empty, None)
    document.setActiveNode(empty)
    with pytest.raises(RefusedError, match="“nothing” is empty"):
        conditions.plan(document, Form(task="refine"))


def test_without_an_active_layer_new_ones_go_on_top_and_the_others_are_refused(app):
    document = app.createDocument(40, 30)
    assert conditions.plan(document, Form(prompt="fig")).anchor is None
    with pytest.raises(RefusedError, match="No layer is active"):
        conditions.plan(document, Form(task="refine"))


def test_a_selection_that_misses_the_layer_is_refused_when_it_is_read(krita, document):
    select(krita, document, 100, 100, 5, 5)
    form = Form(task="repaint", prompt="fig")
    with pytest.raises(RefusedError, match="No part of the layer is selected"):
        read(document, form, conditions.plan(document, form))


@pytest.mark.parametrize(("task", "clip"), [("repaint", "no"), ("refine", "alpha"), ("object", "no")])
def test_of_a_layer_that_is_too_large_goes_what_is_selected_with_its_surroundings(krita, app, task, clip):
    """What is made of it is a piece above the layer, which goes on showing everything else."""
    document = app.createDocument(9000, 4)
    layer = document.createNode("panorama", "paintlayer")
    layer.setPixelData(b"\xff" * (4 * 9000 * 4), 0, 0, 9000, 4)
    document.rootNode().addChildNode(layer, None)
    document.setActiveNode(layer)
    select(krita, document, 5000, 1, 100, 2)
    plan = conditions.plan(document, Form(task=task, prompt="fig"))
    part = Box(4538, 0, 1024, 4)
    assert (plan.box, plan.source_box, plan.clip) == (part, part, clip)
    assert plan.hides is None and plan.replaces is None
