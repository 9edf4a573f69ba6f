"""The bridge's form and a procedure's arguments: the same values under GIMP's names and GIMP's spelling of "unset".

Knows names and types; knows no GIMP: it reads and writes through `get_property` and `set_property` of whatever it is given.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import fields
from typing import Any

from acetate.plugins.bridge.form import WEIGHTS, Form

_ELSEWHERE = ("task", "prompts", "scheduler", "spacing", "clip_skip", "fast", *WEIGHTS)
ARGUMENT_OF = {one.name: one.name.replace("_", "-") for one in fields(Form) if one.name not in _ELSEWHERE}
ARGUMENT_OF["guidance_scale"] = "guidance"
"""The form's fields as arguments; a procedure has those that its task takes."""

_FIELD_OF = {name: field for field, name in ARGUMENT_OF.items()}


def parameter_of(name: str) -> str:
    """The vocabulary's name of what an argument sets; the name itself where there is none."""
    return _FIELD_OF.get(name, name.replace("-", "_"))


PROMPT_OF_ROLE = {"foreground": "foreground-prompt", "background": "background-prompt"}
UNSET = 0
"""The value of steps and guidance that leaves them to the model: numbers in GIMP cannot be absent."""


def form_of(config: Any, names: Collection[str], task: str) -> Form:
    """The form that the config's arguments `names` describe."""
    found = {field: config.get_property(name) for field, name in ARGUMENT_OF.items() if name in names}
    for text in ("prompt", "negative_prompt", "model", "upscaler"):
        found[text] = found.get(text) or ""  # a string argument that was never set is None
    for number in ("steps", "guidance_scale"):
        found[number] = found.get(number, UNSET) or None
    prompts = {role: config.get_property(name) or "" for role, name in PROMPT_OF_ROLE.items() if name in names}
    return Form(task=task, prompts=prompts, **found)


def fill(config: Any, names: Collection[str], form: Form) -> None:
    """Set the config's arguments to the form's values; one that GIMP refuses, as out of range, stays as it was."""
    for field, name in ARGUMENT_OF.items():
        value = getattr(form, field)
        if name in names:
            _set(config, name, UNSET if value is None else value)
    for role, name in PROMPT_OF_ROLE.items():
        if name in names:
            _set(config, name, form.prompts.get(role, ""))


def _set(config: Any, name: str, value: Any) -> None:
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        config.set_property(name, value)
