"""Tasks that make several layers, or one that belongs to another."""

from acetate.protocol import Box
from desk import assert_equals_what_the_server_sent, choose, docker, generate, layer_of, prepared
from pieces import claim, names
from stage import undo
from working import with_layer


@claim
def a_scene_arrives_as_a_group_with_the_blended_picture_hidden_in_one_undo_step():
    document = yield from prepared()
    choose("task", "scene")
    result = yield from generate("a fox in snow")
    assert names(document) == ["Background", ["a fox in snow (7)", "Background", "Foreground", "Blended"]]
    children = layer_of(document, "a fox in snow (7)").childNodes()
    assert [node.visible() for node in children] == [True, True, False]
    for node, ready_one in zip(children, sorted(result.status.layers, key=lambda one: one.layer.order), strict=True):
        assert_equals_what_the_server_sent(node, ready_one)
    yield from undo(document)
    assert names(document) == ["Background"]


@claim
def an_object_comes_with_its_background_as_condition():
    document, _, _ = yield from with_layer("object")
    result = yield from generate("a cat")
    assert {one.layer.role for one in result.status.layers} == {"foreground", "blended"}
    assert names(document)[2] == ["a cat (7)", "Foreground", "Blended"]


@claim
def a_background_comes_below_its_layer():
    document, _, _ = yield from with_layer("background")
    result = yield from generate("a beach")
    assert {one.layer.role for one in result.status.layers} == {"background", "blended"}
    assert result.status.layers[0].layer.box == Box(0, 0, 400, 300)
    assert names(document) == ["Background", ["a beach (7)", "Background", "Blended"], "source"]
    assert document.activeNode().name() == "a beach (7)"
    yield from undo(document)
    assert names(document) == ["Background", "source"]


@claim
def a_background_of_the_lowest_layer_comes_above_it_and_the_docker_says_so():
    document = yield from prepared()
    choose("task", "background")
    result = yield from generate("a beach")
    assert names(document)[0] == "Background"
    assert "Drag it down" in " ".join(result.notes)
    assert "Drag it down" in docker().error.text()
