"""Claims about what scripts rely on: what is refused, the order of what comes back, and questions about the server."""

from __future__ import annotations

from editor import FAKE, call, names, new_image, record
from gi.repository import Gimp, GObject

VERSIONS = ("acetate-refine-layer", "acetate-object-on-background", "acetate-repeat-with-new-seed")


def _ask(name, **arguments):
    """The status, the answers and the error of a procedure without an image."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    for argument, value in arguments.items():
        config.set_property(argument.replace("_", "-"), value)
    answer = procedure.run(config)
    return answer, str(Gimp.get_pdb().get_last_error())


def a_layer_of_another_image_is_refused_by_name():
    with new_image() as (image, paper), new_image() as (_other, foreign):
        foreign.set_name("foreign")
        result = call("acetate-generate-layer", image, [foreign], prompt="fig")
        assert "The layer foreign belongs to" in result.error, result.error
        assert image.get_layers() == [paper]


def of_two_layers_none_is_chosen_in_silence():
    with new_image() as (image, paper):
        made = call("acetate-generate-layer", image, [paper], prompt="fig").required().layer
        for name in VERSIONS:
            result = call(name, image, [paper, made], prompt="fig") if name != VERSIONS[2] else call(name, image, [paper, made])
            assert "2 layers are selected: paper, " in result.error, (name, result.error)
        image.set_selected_layers([paper, made])
        assert "2 layers are selected" in call("acetate-refine-layer", image, []).error, "nor of those that are selected"
        call("acetate-generate-layer", image, [paper, made], prompt="fig").required()


def a_size_that_would_be_ignored_is_refused():
    with new_image() as (image, paper):
        given = [
            ((image, [paper]), {"width": 64, "height": 64}, "counts only for the area"),
            ((image, [paper]), {"width": 64, "area": "custom"}, "width is 64 and the height 0"),
            ((image, [paper]), {"area": "custom"}, "width and height are 0"),
            ((), {"width": 64}, "width is 64 and the height 0"),
            ((), {"area": "custom"}, "width and height are 0"),
        ]
        for target, values, said in given:
            result = call("acetate-generate-layer", *target, prompt="fig", **values)
            assert said in result.error, (values, result.error)
        made = call("acetate-generate-layer", image, [paper], prompt="fig", area="custom", width=40, height=30).required().layer
        assert (made.get_width(), made.get_height()) == (40, 30)


def candidates_come_back_in_the_order_of_their_seeds_and_by_their_ids():
    with new_image() as (image, paper):
        procedure = Gimp.get_pdb().lookup_procedure("acetate-generate-layer")
        config = procedure.create_config()
        for name, value in {"image": image, "prompt": "fig", "seed": 20, "count": 3, "steps": 1}.items():
            config.set_property(name, value)
        config.set_core_object_array("drawables", [paper])
        answer = procedure.run(config)
        layers = list(answer.get_core_object_array(1))
        assert [record(layer)["seed"] for layer in layers] == [20, 21, 22]
        assert layers[0].get_visible() and not layers[1].get_visible()
        assert _numbers(answer.index(2)) == [layer.get_id() for layer in layers]


def _numbers(array) -> list[int]:
    """Whole numbers out of the box in which the binding gives an array of them."""
    value = GObject.Value(GObject.type_from_name("GimpInt32Array"))
    value.set_boxed(array)
    return list(Gimp.value_get_int32_array(value))


def a_scene_comes_back_as_its_task_makes_it():
    with new_image() as (image, paper):
        layers = call("acetate-generate-scene", image, [paper], prompt="fig").required().layers
        assert [record(layer)["role"] for layer in layers] == ["foreground", "background", "blended"]
        assert [layer.get_visible() for layer in layers] == [True, True, False], names(layers)


def the_servers_models_can_be_listed():
    answer, error = _ask("acetate-list-models")
    models = list(answer.index(1))
    assert int(answer.index(0)) == int(Gimp.PDBStatusType.SUCCESS) and models, error
    with new_image() as (image, paper):
        call("acetate-generate-layer", image, [paper], prompt="fig", model=models[0]).required()
    some, _ = _ask("acetate-list-models", task="foreground")
    assert set(some.index(1)) <= set(models) and list(some.index(1))
    wrong, error = _ask("acetate-list-models", task="foregroud")
    assert int(wrong.index(0)) != int(Gimp.PDBStatusType.SUCCESS)
    assert "“foregroud”; it must be one of foreground, scene" in error, error


def the_servers_state_can_be_asked():
    answer, _ = _ask("acetate-status")
    assert answer.index(1) is True and " on " in answer.index(2) and "model" in answer.index(2), answer.index(2)


def a_dialog_without_a_screen_is_refused_in_a_sentence():
    with new_image() as (image, paper):
        for name in ("acetate-generate-layer", "acetate-history", "acetate-repeat-with-new-seed"):
            error = call(name, image, [paper], run_mode=Gimp.RunMode.INTERACTIVE).error
            assert "There is no screen for a dialog" in error, (name, error)


def a_lora_that_has_no_number_is_named():
    with new_image() as (image, paper):
        error = call("acetate-generate-layer", image, [paper], prompt="fig", loras="soft:0.6, ink:strong").error
        assert "The LoRA is ink:strong" in error, error


def the_numbers_of_the_sampler_reach_the_server():
    with new_image() as (image, paper):
        values = {"scheduler": "euler", "spacing": "karras"}
        layer = call("acetate-generate-layer", image, [paper], prompt="fig", **values).required().layer
        assert FAKE or values.items() <= record(layer)["parameters"].items(), record(layer)["parameters"]
        error = call("acetate-generate-layer", image, [paper], prompt="fig", scheduler="eulr").error
        assert "eulr" in error and "euler" in error, error
