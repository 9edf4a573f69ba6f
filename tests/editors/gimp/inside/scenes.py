"""Claims about results of several layers, and about one that belongs to another."""

from __future__ import annotations

from editor import FEW_STEPS, PATIENCE, call, client, new_image, offsets, record
from gi.repository import Gimp


def a_scene_is_a_group_of_three_with_the_blended_picture_hidden():
    with new_image() as (image, paper):
        call("acetate-generate-scene", image, [paper], prompt="a fox in snow", seed=4).required()
        group, below = image.get_layers()
        assert group.is_group() and below == paper
        roles = [record(child)["role"] for child in group.get_children()]
        assert sorted(roles) == ["background", "blended", "foreground"]
        shown = {record(child)["role"]: child.get_visible() for child in group.get_children()}
        assert shown == {"background": True, "foreground": True, "blended": False}
        assert roles.index("foreground") < roles.index("background"), "the foreground lies above the background"


def what_was_inserted_is_called_by_its_groups_name():
    """And not by the last layer's in it, which is hidden."""
    from acetate.plugins.bridge.form import Form
    from acetate.plugins.bridge.job import EditorJobs
    from acetate.plugins.gimp import canvas, jobs
    from acetate.plugins.gimp.host import GimpHost
    from acetate.plugins.gimp.job_run import follow

    form = Form(task="scene", prompt="a fox in snow", steps=FEW_STEPS)
    with new_image() as (image, paper), client() as connected:
        editor_jobs = EditorJobs(GimpHost(show=False), lambda: connected)
        result = editor_jobs.generate(image, form, lambda: jobs.generation(form, image, paper, paper))
        layers = follow(result, editor_jobs, connected, PATIENCE)
        assert layers[-1].get_name() == "Blended" and not layers[-1].get_visible()
        assert canvas.inserted_name(layers) == image.get_layers()[0].get_name() == "a fox in snow (0)"


def an_object_is_made_for_the_given_background_at_its_place():
    with new_image() as (image, paper):
        paper.set_offsets(8, 4)
        result = call("acetate-object-on-background", image, [paper], prompt="a boat", seed=4).required()
        foreground = next(layer for layer in result.layers if record(layer)["role"] == "foreground")
        assert offsets(foreground) == (8, 4)
        assert record(foreground)["made_from"] == paper.get_tattoo()


def a_background_is_made_for_the_given_layer_which_stays_visible_on_top():
    with new_image() as (image, paper):
        arguments = {"prompt": "a lake", "area": "canvas"}
        result = call("acetate-background-for-layer", image, [paper], seed=4, **arguments).required()
        assert "background" in [record(layer)["role"] for layer in result.layers]
        first = image.get_layers()[-1]
        assert image.get_layers() == [paper, first] and first.is_group() and paper.get_visible()
        call("acetate-repeat-with-new-seed", image, [first], seed=5).required()
        above, between, below = image.get_layers()
        assert (above, below) == (paper, first) and between.is_group(), "the newest is the one that is seen"


def a_background_stays_in_the_group_of_its_layer():
    with new_image() as (image, paper):
        group = Gimp.GroupLayer.new(image, "group")
        image.insert_layer(group, None, 0)
        image.reorder_item(paper, group, 0)
        call("acetate-background-for-layer", image, [paper], prompt="a lake").required()
        assert image.get_layers() == [group] and group.get_children()[0] == paper and len(group.get_children()) == 2
