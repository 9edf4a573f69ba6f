"""Whether a request can be run, as far as can be told without its pixels and its model: the same answer, in the same words, for
the engine, the wire and the editors.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping
from typing import Any

from .parameters import LONGEST_TEXTS, PARAMETERS, range_of
from .roles import GIVEN
from .tasks import TASKS, Task
from .value_types import Choice, Complaint, shown

_GRAMMAR = re.compile(
    r"<\w+:[^<>]*>|[:：]\s*[+-]?[\d.]+\s*(?=[)\]）］])|[:：]\s*[+-]?[\d.]+\s*$|\b(?:AND|BREAK)\b|[\s()\[\]{}（）［］｛｝|｜:：,，]"
)
"""What a prompt may hold besides words."""


def complaint(task: Any, parameters: Mapping[str, Any], given: Collection[str], *, paths: bool = False) -> Complaint | None:
    """The first thing that is wrong with a request; `None` when nothing is.

    What `parameters` lacks has its default. `given` names the pictures that come with them. With `paths` an upscaler may be the
    absolute path of a file: within a process, not over the wire.
    """
    if wrong := of_parameters(parameters, paths=paths) or of_task(task):
        return wrong
    row = TASKS[task]
    return _of_prompt(row, parameters) or _of_pictures(row, parameters, given) or _of_ignored(row, parameters, given)


def of_task(task: Any) -> Complaint | None:
    """What is wrong with a task's name; `None` when nothing is."""
    return Choice(tuple(TASKS)).complaint("task", task)


def of_parameters(parameters: Mapping[str, Any], *, paths: bool = False) -> Complaint | None:
    """What is wrong with the first parameter that does not exist or has a wrong value, whatever the task."""
    unknown = sorted(set(parameters) - set(PARAMETERS))
    if unknown:
        return Complaint(f"unknown parameter {shown(unknown[0])}", f"one of {', '.join(PARAMETERS)}")
    for name, row in PARAMETERS.items():
        value = parameters.get(name, row.default)
        if value is None and row.default is None:
            continue
        if paths and name == "upscaler" and isinstance(value, str) and os.path.isabs(value):
            continue
        if wrong := row.type.complaint(name, value):
            return wrong
    if wrong := _of_last_seed(parameters):
        return wrong
    texts = [parameters.get(name) for name in ("prompt", "negative_prompt", "prompts", "loras")]
    size = len(json.dumps(texts, ensure_ascii=False).encode())
    if size > LONGEST_TEXTS:
        message = f"prompts and names have {size} bytes together; at most {LONGEST_TEXTS} are taken"
        return Complaint(message, "shorten them", too_large=True)
    return None


def _of_last_seed(parameters: Mapping[str, Any]) -> Complaint | None:
    seed, count = (parameters.get(name, PARAMETERS[name].default) for name in ("seed", "count"))
    last, (_, greatest) = seed + count - 1, range_of("seed")
    if last <= greatest:
        return None
    return Complaint(
        f"the last of {count} pictures would have the seed {last}; {greatest} is the greatest", "take a smaller seed"
    )


def _of_prompt(row: Task, parameters: Mapping[str, Any]) -> Complaint | None:
    words = (parameters.get("prompt", ""), *parameters.get("prompts", {}).values())
    if row.needs_prompt and not any(map(_has_words, words)):
        return Complaint("the prompt is empty", "say in a few words what to draw")
    return None


def _has_words(text: str) -> bool:
    """Whether anything is left of a prompt without its brackets, weights and tags: `(:1.2)` says nothing."""
    return bool(_GRAMMAR.sub("", text))


def _of_pictures(row: Task, parameters: Mapping[str, Any], given: Collection[str]) -> Complaint | None:
    """A picture that is missing or in the way; the strength of a picture that is not there."""
    task, strength = f"task {row.name!r}", parameters.get("strength")
    if row.replaces and "source" not in given:
        return Complaint(f"{task} works on a layer, and none was given", "give a source picture")
    if row.from_nothing and "source" in given:
        other = next(one.name for one in TASKS.values() if one.replaces)
        return Complaint(f"{task} begins from nothing, and a source picture was given", f"take task {other!r}, or leave it out")
    if strength is not None and "source" not in given and "strength" in row.parameters:
        return Complaint(
            f"strength is {float(strength)}, and there is no source picture to keep", "give one, or leave strength out"
        )
    for name in row.needs:
        if name not in given:
            what, hint = ("mask", "select what may change") if name == "mask" else (f"{name} picture", f"give a {name} picture")
            return Complaint(f"{task} needs a {what}, and none was given", hint)
    either = " or ".join(f"a {name}" for name in row.one_of)
    found = [name for name in row.one_of if name in given]
    if row.one_of and not found:
        return Complaint(f"{task} needs {either} picture, and none was given", f"give {either} picture")
    if len(found) > 1:
        return Complaint(f"{task} takes {either} picture, and both were given", "leave one out")
    return None


def _of_ignored(row: Task, parameters: Mapping[str, Any], given: Collection[str]) -> Complaint | None:
    """What was given and would change nothing. A value that is the default counts as not given: forms may send them all."""
    task = f"task {row.name!r}"
    for picture in GIVEN:
        if picture in given and picture not in row.accepts:
            others = [one.name for one in TASKS.values() if picture in (*one.needs, *one.one_of, *one.optional)]
            what = _CALLED.get(picture, f"a {picture} picture")
            return Complaint(f"{task} does not use {what}", f"leave it out, or take task {others[0]!r}")
    for name in PARAMETERS:
        # The prompt of a layer that is not made stays in a form while the task changes, and may come from any client.
        if name not in (*row.parameters, "prompts") and _is_chosen(name, parameters):
            others = [one.name for one in TASKS.values() if name in one.parameters]
            return Complaint(f"{task} does not use {name}", f"leave it out; it is for {', '.join(others)}")
    for name, (needed, what) in _NOTHING_WITHOUT.items():
        if _is_chosen(name, parameters) and not (given if needed == "picture" else _is_chosen(needed, parameters)):
            return Complaint(f"{name} would change nothing without {what}", f"give one, or leave {name} out")
    options = parameters.get("upscaling", {})
    for option in ("alpha", "colour"):
        if options.get(option) == "network" and not parameters.get("upscaler"):
            return Complaint(f"{option} is to be made by a network, but no upscaler was named", "name one, or leave that out")
    return None


_CALLED = {"mask": "a mask", "references": "a reference picture"}
"""How sentences call pictures, where it is not by their names."""
_NOTHING_WITHOUT = {"resize_mode": ("picture", "a given picture"), "layer_prompts": ("prompts", "a prompt for a layer")}
"""Parameters that work on something else, which may be missing."""


def _is_chosen(name: str, parameters: Mapping[str, Any]) -> bool:
    value, default = parameters.get(name), PARAMETERS[name].default
    return value is not None and value != default and not (default in ((), {}) and not value)


def given_among(pictures: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of those pictures that are there."""
    found = {name: pictures.get(name) for name in GIVEN}
    return tuple(name for name, one in found.items() if one is not None and not (isinstance(one, tuple) and not one))
