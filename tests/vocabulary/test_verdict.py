"""One answer to whether a request can be run: what is looked at, in which order, and what is said."""

from __future__ import annotations

from typing import Any

import pytest
from acetate.vocabulary.parameters import LONGEST_TEXTS, PARAMETERS
from acetate.vocabulary.roles import GIVEN, PICTURES
from acetate.vocabulary.tasks import TASKS
from acetate.vocabulary.verdict import complaint, given_among, of_parameters, of_task


def test_a_long_value_is_named_in_short() -> None:
    wrong = of_parameters({"steps": "many" * 1000})
    assert wrong is not None and len(wrong.message) < 200


def test_the_path_of_a_network_is_taken_within_a_process_alone() -> None:
    assert of_parameters({"upscaler": "/networks/4x.pth"}, paths=True) is None
    assert "not a path" in str(of_parameters({"upscaler": "/networks/4x.pth"}))
    assert "not a path" in str(of_parameters({"model": "/models/x.safetensors"}, paths=True))


@pytest.mark.parametrize("task", TASKS)
def test_a_task_with_its_prompt_and_pictures_can_be_run(task: str) -> None:
    assert complaint(task, {"prompt": "a kite"}, TASKS[task].conditions) is None


@pytest.mark.parametrize(("task", "name"), [(task, name) for task in TASKS for name in TASKS[task].conditions])
def test_a_picture_that_a_task_needs_is_missed(task: str, name: str) -> None:
    wrong = complaint(task, {"prompt": "a kite"}, [one for one in TASKS[task].conditions if one != name])
    assert wrong is not None and repr(task) in wrong.message


@pytest.mark.parametrize("task", TASKS)
def test_only_a_task_that_begins_with_words_needs_some(task: str) -> None:
    wrong = complaint(task, {"prompt": " \n"}, TASKS[task].conditions)
    assert (wrong is not None) == TASKS[task].needs_prompt
    assert complaint(task, {"prompts": {"foreground": "a kite"}}, TASKS[task].conditions) is None, "those of a layer count"


def test_parameters_are_judged_before_the_task_and_the_task_before_its_pictures() -> None:
    wrong = [complaint("paint", {"steps": 0}, ()), complaint("paint", {}, ()), complaint("refine", {}, ())]
    assert [one.message.split()[0] for one in wrong if one is not None] == ["steps", "task", "task"]
    assert "'paint'" in str(wrong[1]) and "'refine'" in str(wrong[2])


@pytest.mark.parametrize("task", ["paint", "", None, 5, ["foreground"]])
def test_a_task_that_there_is_not_is_refused_with_those_that_there_are(task: Any) -> None:
    wrong = of_task(task)
    assert wrong is not None and all(name in wrong.message for name in TASKS)


def test_an_unknown_parameter_is_named_with_those_that_there_are() -> None:
    wrong = of_parameters({"steps": 4, "speed": 2})
    assert wrong is not None and "'speed'" in wrong.message and all(name in wrong.hint for name in PARAMETERS)


def test_texts_that_are_too_long_only_together_are_too_large() -> None:
    text = "🪁" * 9_000  # four bytes each
    assert of_parameters({"prompt": text}) is None
    wrong = of_parameters({"prompt": text, "negative_prompt": text})
    assert wrong is not None and wrong.too_large and str(LONGEST_TEXTS) in wrong.message


@pytest.mark.parametrize("name", [name for name, row in PARAMETERS.items() if row.default is None])
def test_what_may_be_absent_may_be_given_as_nothing(name: str) -> None:
    assert of_parameters({name: None}) is None


def test_a_strength_needs_a_picture_to_keep() -> None:
    asked = {"prompt": "a kite", "strength": 0.0}
    wrong = complaint("scene", asked, ())
    assert wrong is not None and wrong.message.startswith("strength is 0.0")
    assert complaint("scene", asked, ("source",)) is None


def test_pictures_that_are_there_are_named_in_their_order() -> None:
    assert given_among({"mask": object(), "blended": None, "source": object(), "other": 1}) == ("source", "mask")
    assert given_among({"references": ()}) == () and given_among({"references": (1,)}) == ("references",)
    assert {*PICTURES, "mask", "references"} == set(GIVEN) and len(GIVEN) == len(PICTURES) + 2


@pytest.mark.parametrize("prompt", ["()", "(:1.2)", "[ ]", "((：1.2))", "{|}", "BREAK", "<lora:ink:0.8>", "AND :1.2", ","])
def test_brackets_weights_and_tags_alone_are_no_prompt(prompt: str) -> None:
    wrong = complaint("foreground", {"prompt": prompt}, ())
    assert wrong is not None and wrong.message == "the prompt is empty"


@pytest.mark.parametrize("prompt", ["a", "(a:1.2)", "16:9", "!", "🪁", "[a|b]", "42", "<3"])
def test_anything_else_is_one(prompt: str) -> None:
    assert complaint("foreground", {"prompt": prompt}, ()) is None


def test_the_seeds_of_all_pictures_must_be_seeds() -> None:
    most = 2**63 - 1
    assert complaint("foreground", {"prompt": "a", "seed": most}, ()) is None
    wrong = complaint("foreground", {"prompt": "a", "seed": most, "count": 2}, ())
    assert wrong is not None and str(most + 1) in wrong.message
