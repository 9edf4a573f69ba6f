import secrets
from dataclasses import replace

import pytest
from acetate.plugins.bridge.form import LARGEST_SEED, MOST_CANDIDATES, Form, fresh_seed, from_json, from_parameters, with_words_of
from acetate.plugins.bridge.tasks import BY_NAME, METHODS, SINGLE_STEPS
from acetate.protocol import Box, Parameters
from acetate.vocabulary.upscaling import OPTIONS

BOX = Box(0, 0, 64, 64)


def test_a_form_survives_json():
    form = Form(
        task="scene", prompt="ein Glas 🍷", prompts={"background": "bar"}, count=3, steps=12, seed=LARGEST_SEED, new_seed=False
    )
    assert from_json(form.to_json()) == form


def test_a_form_of_another_version_loses_only_what_does_not_fit():
    assert from_json('{"prompt": "x", "task": "dream", "count": "many", "novelty": 1}') == Form(prompt="x")


def test_a_broken_form_is_a_new_form():
    assert from_json("[1,") == from_json('"text"') == Form()


def test_unset_fields_are_left_to_the_model():
    assert Form(prompt=" apple ").parameters() == Parameters(prompt="apple")


def test_a_task_takes_only_its_own_fields():
    parameters = Form(task="upscale", count=4, lock_alpha=True, prompts={"background": "bar"}, scale=3.0).parameters()
    assert (parameters.count, parameters.lock_alpha, parameters.prompts, parameters.scale) == (1, False, {}, 3.0)
    assert parameters.strength is None and Form(task="refine").parameters().strength == Form().strength


def test_a_method_of_upscaling_is_asked_for_by_its_name():
    assert Form(task="upscale", method="refine").parameters().upscaling == {"mode": "refine"}
    assert Form(task="upscale").parameters().upscaling == Form(method="refine").parameters().upscaling == {}
    assert from_json('{"method": "dream"}').method == "auto"


def test_a_result_is_upscaled_again_by_its_own_method():
    assert from_parameters({"upscaling": {"mode": "enlarge"}}, Form(method="redraw")).method == "enlarge"
    assert from_parameters({}, Form(method="redraw")).method == "redraw"


def test_only_a_larger_layer_is_called_as_its_original():
    assert Form(task="upscale").result_name("Kite") == "Kite"
    assert Form(task="refine").result_name("Kite") == ""


def test_a_new_seed_is_drawn_unless_it_is_fixed():
    assert Form(seed=5, new_seed=False).with_seed().seed == 5
    assert len({Form(seed=5).with_seed().seed for _ in range(8)}) > 1


def test_the_seeds_of_all_candidates_fit_in_32_bits(monkeypatch):
    monkeypatch.setattr(secrets, "randbelow", lambda bound: bound - 1)
    assert fresh_seed() + MOST_CANDIDATES - 1 == LARGEST_SEED


def test_a_seed_without_room_for_the_candidates_is_refused():
    largest = Form(prompt="apple", seed=LARGEST_SEED)
    assert largest.complaint(BOX) is None
    assert "smaller seed or count" in replace(largest, count=2).complaint(BOX)
    assert replace(largest, task="upscale", count=2).complaint(BOX) is None, "which makes only one"


def test_the_parameters_of_a_result_fill_the_form_and_fix_the_seed():
    before = Form(prompt="old", steps=50, negative_prompt="blur", count=2)
    after = from_parameters({"task": "refine", "prompt": "new", "seed": 9, "strength": 1, "steps": None, "width": 128}, before)
    assert after == replace(
        before, task="refine", prompt="new", seed=9, strength=1, steps=None, negative_prompt="", new_seed=False
    )


def test_the_words_of_a_layer_bring_model_and_sampler_and_leave_task_seed_and_strength():
    before = Form(task="refine", prompt="old", seed=3, strength=0.2, steps=50, scheduler="euler")
    made_with = {"task": "foreground", "prompt": "new", "model": "m", "seed": 9, "strength": 1.0, "guidance_scale": 4.0}
    assert with_words_of(made_with, before) == replace(
        before, prompt="new", model="m", guidance_scale=4.0, steps=None, scheduler=""
    )


@pytest.mark.parametrize("task", SINGLE_STEPS)
def test_a_single_step_can_be_asked_for_with_the_layers_that_an_editor_gives_it(task):
    form = Form(task=task, prompt="a street", count=2)
    assert form.complaint(BOX) is None and form.parameters().count == 2
    assert from_json(form.to_json()) == form
    assert [one for one in (form.about.worked_on, form.about.besides) if one] == list(form.about.conditions)


def test_a_blend_takes_one_layer_and_a_generation_none():
    assert (Form(task="blend").about.worked_on, Form(task="blend").about.besides) == ("foreground", None)
    assert Form().about.worked_on is None
    assert all(task.worked_on == task.takes for task in BY_NAME.values())


def test_an_empty_prompt_is_refused_where_one_is_needed():
    assert "prompt is empty" in Form().complaint(BOX)
    assert Form(task="upscale").complaint(BOX) is None
    assert "10001 characters; at most 10000" in Form(prompt="x" * 10_001).complaint(BOX)
    assert "at most 10000" in Form(task="scene", prompt="x", prompts={"foreground": "y" * 11_000}).complaint(BOX)


def test_a_result_larger_than_the_server_makes_is_refused():
    assert "too large" in Form(task="upscale", scale=8.0).complaint(Box(0, 0, 2000, 10))


def test_every_task_has_words_for_a_person_and_known_fields():
    names = {one for task in BY_NAME.values() for one in task.fields}
    assert names <= set(Form.__dataclass_fields__)
    assert all(task.label and task.verb and task.meaning for task in BY_NAME.values())
    assert {"auto", *OPTIONS["mode"].choices} == set(METHODS)


@pytest.mark.parametrize("task", BY_NAME)
def test_what_was_filled_in_for_another_task_is_in_the_way_of_none(task: str) -> None:
    """A form keeps its values when the task changes; what a task does not use would be refused."""
    filled = Form(
        task=task,
        prompt="a kite",
        negative_prompt="rope",
        prompts={"foreground": "a kite", "background": "sky", "blended": "a kite in the sky"},
        area="custom",
        width=320,
        height=240,
        count=2,
        strength=0.3,
        lock_alpha=True,
        steps=9,
        guidance_scale=3.0,
        clip_skip=2,
        scale=3.0,
        upscaler="4x",
        method="enlarge",
    )
    assert filled.complaint(BOX) is None
