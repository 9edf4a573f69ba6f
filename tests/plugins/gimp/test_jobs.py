"""What GIMP asks of the server: where a result goes, what is sent, and what is refused before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.gimp import canvas, jobs
from acetate.protocol import Box

CANVAS = Box(0, 0, 40, 30)


@pytest.fixture
def image(gimp):
    """A canvas of 40 x 30 with a layer of 10 x 8 at (5, 6)."""
    made = gimp.Image.new(CANVAS.width, CANVAS.height, gimp.ImageBaseType.RGB)
    layer = gimp.Layer.new(made, "layer", 10, 8, "rgba", 100.0, gimp.LayerMode.NORMAL)
    layer.set_offsets(5, 6)
    made.insert_layer(layer, None, 0)
    return made


@pytest.fixture
def layer(image):
    return image.get_layers()[0]


def plan(image, layer=None, *, above=None, **values):
    return jobs.generation(Form(**{"prompt": "fig", **values}), image, layer, above)


def test_the_form_says_where_a_new_layer_goes(image, layer, gimp):
    assert plan(image).box == CANVAS
    assert plan(image, layer, area="layer").box == Box(5, 6, 10, 8)
    assert plan(image, area="custom", width=20, height=10).box == Box(10, 10, 20, 10)
    image.select_rectangle(gimp.ChannelOps.REPLACE, 30, 20, 20, 20)
    assert plan(image).box == Box(30, 20, 10, 10)
    assert plan(image, area="canvas").box == CANVAS


def test_without_an_image_the_own_size_counts_or_the_models(gimp):
    assert plan(None, width=64, height=32).box == Box(0, 0, 64, 32)
    assert plan(None).box is None
    assert (plan(None).format, plan(None).source) == ("rgba8", None)


@pytest.mark.parametrize(
    ("task", "hides", "below"), [("refine", True, False), ("object", False, False), ("background", False, True)]
)
def test_tasks_on_a_layer_send_it_whole(image, layer, task, hides, below):
    form = Form(task=task, prompt="fig")
    planned = jobs.generation(form, image, layer, layer, hide_original=True)
    assert (planned.source, planned.source_box, planned.anchor) == (layer, Box(5, 6, 10, 8), layer)
    assert (planned.hides is layer, planned.below is layer) == (hides, below)
    assert planned.record == {"task": task, "made_from": layer.get_tattoo()}
    assert planned.box == (CANVAS if task == "background" else Box(5, 6, 10, 8))


def test_only_a_repaint_restores_what_was_not_selected(image, layer):
    assert plan(image, layer, task="repaint").restores is layer
    assert plan(image, layer, task="refine").restores is None


def test_upscaling_asks_for_the_larger_box_and_the_layers_name(image, layer):
    planned = plan(image, layer, task="upscale", scale=3.0)
    assert (planned.box, planned.name) == (Box(5, 6, 30, 24), "layer")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"prompt": ""}, "prompt is empty"),
        ({"task": "refine"}, "No layer is selected. Another version"),
        ({"area": "custom"}, "custom size is 0 × 0"),
        ({"area": "layer"}, "whose size could be used"),
        ({"area": "custom", "width": 9000, "height": 9}, "too large"),
    ],
)
def test_what_cannot_be_done_is_said_before(image, values, said):
    with pytest.raises(RefusedError, match=said):
        plan(image, **values)


def test_a_layer_is_repeated_where_and_from_what_it_was_made(image, layer, gimp):
    made = gimp.Layer.new(image, "fig", 10, 8, "rgba", 100.0, gimp.LayerMode.NORMAL)
    image.insert_layer(made, None, 0)
    record = {"task": "refine", "seed": 3, "parameters": {"prompt": "fig", "strength": 0.3}, "made_from": layer.get_tattoo()}
    canvas.attach(made, record)
    form, planned = jobs.repetition(image, made, 8)
    assert (form.task, form.prompt, form.strength, form.seed, form.new_seed) == ("refine", "fig", 0.3, 8, False)
    assert (planned.source, planned.anchor) == (layer, made)
    canvas.attach(made, {"task": "foreground", "parameters": {"prompt": "fig"}, "box": [1, 2, 3, 4]})
    assert jobs.repetition(image, made, 8)[1].box == Box(1, 2, 3, 4)


def test_what_cannot_be_repeated_is_said(image, layer):
    with pytest.raises(RefusedError, match="does not come from Acetate"):
        jobs.repetition(image, layer, 8)
    canvas.attach(layer, {"task": "refine", "parameters": {}})
    with pytest.raises(RefusedError, match="came from the history.*choose Refine again"):
        jobs.repetition(image, layer, 8)
    canvas.attach(layer, {"task": "refine", "parameters": {}, "made_from": 999})
    with pytest.raises(RefusedError, match="is gone"):
        jobs.repetition(image, layer, 8)


def test_a_refinement_without_a_prompt_gets_the_words_that_made_the_layer():
    record = {"task": "foreground", "parameters": {"prompt": "a kite", "model": "m"}}
    form = Form(task="refine")
    assert jobs.completed(form, record) == replace(form, prompt="a kite", model="m")
    assert jobs.completed(replace(form, prompt="own"), record).prompt == "own"
    assert jobs.completed(Form(task="repaint"), record).prompt == ""
