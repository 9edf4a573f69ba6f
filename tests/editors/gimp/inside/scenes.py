"""Claims about results of several layers, and about one that belongs to another."""

from __future__ import annotations

from editor import call, new_image, offsets, record


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


def an_object_is_made_for_the_given_background_at_its_place():
    with new_image() as (image, paper):
        paper.set_offsets(8, 4)
        result = call("acetate-object-on-background", image, [paper], prompt="a boat", seed=4).required()
        foreground = next(layer for layer in result.layers if record(layer)["role"] == "foreground")
        assert offsets(foreground) == (8, 4)
        assert record(foreground)["made_from"] == paper.get_tattoo()


def a_background_is_made_for_the_given_layer():
    with new_image() as (image, paper):
        result = call("acetate-background-for-layer", image, [paper], prompt="a lake", seed=4, area="canvas").required()
        assert "background" in [record(layer)["role"] for layer in result.layers]
