"""Sentences of the engine in the words of the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import pytest
from acetate.server.command_line.option_names import SPELLED, UNSPELLED, in_options, option_of
from acetate.server.commands import generate, upscale
from acetate.vocabulary.parameters import PARAMETERS
from acetate.vocabulary.roles import GIVEN
from acetate.vocabulary.tasks import TASKS
from acetate.vocabulary.value_types import Number, Whole
from acetate.vocabulary.verdict import complaint


def options() -> set[str]:
    parsers = [ArgumentParser(), ArgumentParser()]
    for parser, command in zip(parsers, (generate, upscale), strict=True):
        command.add_options(parser)
    return {word for parser in parsers for word in parser._option_string_actions}


def said(task: str, parameters: dict[str, Any], given: tuple[str, ...] = ()) -> str:
    wrong = complaint(task, {"prompt": "a kite", **parameters}, given)
    assert wrong is not None
    return f"{in_options(wrong.message)} | {in_options(wrong.hint)}"


def test_every_parameter_and_picture_is_called_as_an_option_that_there_is() -> None:
    names = [name for name in PARAMETERS if name not in UNSPELLED]
    assert {option_of(name) for name in (*names, *GIVEN)} <= options()
    assert SPELLED.keys() <= PARAMETERS.keys()


@pytest.mark.parametrize("name", [name for name, row in PARAMETERS.items() if isinstance(row.type, (Whole, Number))])
def test_a_wrong_number_is_named_by_its_option(name: str) -> None:
    sentence = said("upscale", {name: -99}, ("source",))
    assert sentence.startswith(option_of(name)) and "_" not in sentence


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", [name for name in PARAMETERS if name not in UNSPELLED])
def test_an_option_that_a_task_does_not_use_is_refused_by_its_name(task: str, name: str) -> None:
    if name in TASKS[task].parameters:
        return
    values: dict[str, Any] = {
        **{"upscaler": "4x", "resize_mode": "fill", "layer_prompts": "add", "lock_alpha": True, "scale": 3.0, "fast": True},
        **{"spacing": "karras", "injection": "convolution", "layer_weight": 2.0, "stop_at": 0.5, "loras": (("ink", 1.0),)},
    }
    sentence = said(task, {name: values.get(name, 1)}, TASKS[task].conditions)
    assert sentence.startswith(f"--task {task} does not use {option_of(name)} | leave it out; it is for ")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("picture", GIVEN)
def test_a_picture_that_a_task_does_not_use_is_refused_with_a_task_that_does(task: str, picture: str) -> None:
    row = TASKS[task]
    if picture in row.accepts or picture == "source" or picture in row.one_of:
        return
    sentence = said(task, {}, (*row.conditions, picture))
    start, _, other = sentence.rpartition("--task ")
    assert start == f"--task {task} does not use {option_of(picture)} | leave it out, or take "
    assert picture in TASKS[other].accepts


@pytest.mark.parametrize(
    ("task", "parameters", "given", "sentence"),
    [
        ("refine", {}, (), "--task refine works on a layer, and none was given | add --layer FILE"),
        (
            "repaint",
            {},
            ("source",),
            "--task repaint needs a mask, and none was given | add --mask FILE: what is white in it may change",
        ),
        ("object", {}, (), "--task object needs a background picture, and none was given | add --background FILE"),
        (
            "scene",
            {"strength": 0.5},
            (),
            "--strength is 0.5, and there is no --layer to keep | give one with --layer FILE, or leave",
        ),
        ("blend", {}, (), "| add --foreground FILE or --background FILE"),
        ("scene", {"resize_mode": "fill"}, (), "--resize-mode would change nothing without a given picture"),
        ("scene", {"layer_prompts": "add"}, (), "--layer-prompts would change nothing without a prompt for a layer"),
        ("scene", {"prompts": {"foreground": "x" * 10_001}}, (), "--foreground-prompt has 10001 characters"),
        ("foreground", {"width": 0}, (), "--size: width is 0"),
        ("foreground", {"seed": 2**63 - 1, "count": 2}, (), "| take a smaller --seed"),
        ("foreground", {"loras": [["ink", 99]]}, (), "--lora: the weight of LoRA 'ink' is 99"),
        ("upscale", {"upscaling": {"foo": 1}}, ("source",), "--set: unknown option 'foo'"),
        (
            "upscale",
            {"upscaling": {"alpha": "network"}},
            ("source",),
            "--alpha is to be made by a network, but no --upscaler was",
        ),
        ("foreground", {"prompt": "a \udcff fox"}, (), "prompt has bytes that are no text in UTF-8"),
        ("foreground", {"prompt": "guidance_scale" * 800}, (), "prompt has 11200 characters"),
    ],
)
def test_remedies_can_be_typed(task: str, parameters: dict[str, Any], given: tuple[str, ...], sentence: str) -> None:
    assert sentence in said(task, parameters, given)


def test_what_somebody_typed_stays_as_it_is() -> None:
    assert in_options("there is no model 'my layer_weight'") == "there is no model 'my layer_weight'"
