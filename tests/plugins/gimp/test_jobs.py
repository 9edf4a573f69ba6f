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
    planned = plan(image, layer, above=layer, task=task)
    assert (planned.source.layer, planned.source_box, planned.anchor) == (layer, Box(5, 6, 10, 8), layer)
    assert (planned.hides is layer, planned.below is layer) == (hides, below)
    assert planned.record == {"task": task, "made_from": layer.get_tattoo()}
    assert planned.box == (CANVAS if task == "background" else Box(5, 6, 10, 8))


def test_only_a_repaint_restores_what_was_not_selected(image, layer, gimp):
    with pytest.raises(RefusedError, match="No part of the layer is selected"):
        plan(image, layer, task="repaint")
    image.select_rectangle(gimp.ChannelOps.REPLACE, 6, 7, 2, 2)
    assert plan(image, layer, task="repaint").restores is layer
    assert plan(image, layer, task="refine").restores is None


@pytest.fixture
def large(gimp):
    """A layer of 3000 x 2000, opaque, that fills its canvas; 300 x 200 of it are selected."""
    made = gimp.Image.new(3000, 2000, gimp.ImageBaseType.RGB)
    layer = gimp.Layer.new(made, "photo", 3000, 2000, "rgba", 100.0, gimp.LayerMode.NORMAL)
    layer.get_buffer().data[:] = b"\xff" * (4 * 3000 * 2000)
    made.insert_layer(layer, None, 0)
    made.select_rectangle(gimp.ChannelOps.REPLACE, 1500, 1000, 300, 200)
    return layer


PART = Box(1138, 588, 1024, 1024)
"""What the largest model would look at around the selection of `large`."""


@pytest.mark.parametrize("task", ["repaint", "refine", "object"])
def test_of_a_large_layer_goes_what_is_selected_with_its_surroundings(large, task):
    planned = plan(large.get_image(), large, task=task)
    assert (planned.box, planned.source_box) == (PART, PART)
    assert planned.hides is None, "the layer shows all the rest"
    assert planned.clip == ("alpha" if task == "refine" else "no")


def test_without_a_selection_and_for_upscaling_a_layer_goes_whole(large, gimp):
    image, whole = large.get_image(), Box(0, 0, 3000, 2000)
    assert plan(image, large, task="upscale").source_box == whole
    image.select_rectangle(gimp.ChannelOps.REPLACE, 0, 0, 0, 0)
    assert plan(image, large, task="refine").source_box == whole


def test_a_layer_that_lets_something_through_gets_a_whole_new_version(large, gimp):
    """A piece above it would be blended twice."""
    image = large.get_image()
    large.set_opacity(50.0)
    planned = plan(image, large, task="repaint")
    assert planned.source_box == Box(0, 0, 3000, 2000) and planned.hides is large
    large.set_opacity(100.0)
    large.get_buffer().data[4 * (3000 * 1100 + 1600) + 3] = 254
    assert plan(image, large, task="repaint").source_box == Box(0, 0, 3000, 2000)
    assert plan(image, large, task="object").source_box == PART, "an object replaces nothing"


def test_a_background_needs_only_what_stands_before_it(large, gimp):
    planned = plan(large.get_image(), large, task="background", area="custom", width=512, height=512)
    assert planned.source_box == planned.box == Box(1394, 844, 512, 512)
    small = gimp.Layer.new(large.get_image(), "bird", 20, 10, "rgba", 100.0, gimp.LayerMode.NORMAL)
    large.get_image().insert_layer(small, None, 0)
    with pytest.raises(RefusedError, match="does not reach into the area"):
        plan(large.get_image(), small, task="background")


def test_upscaling_asks_for_the_larger_box_and_the_layers_name(image, layer):
    planned = plan(image, layer, task="upscale", scale=3.0)
    assert (planned.box, planned.name) == (Box(5, 6, 30, 24), "layer")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"prompt": ""}, "prompt is empty"),
        ({"task": "refine"}, "No layer is selected. “Refine” works on one"),
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
    assert (planned.source.layer, planned.anchor) == (layer, made)
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
