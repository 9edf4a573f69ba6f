"""The bridge's form and a procedure's arguments: the same values under GIMP's names and GIMP's spelling of "unset".

Knows names and types; knows no GIMP: it reads and writes through `get_property` and `set_property` of whatever it is given.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import fields
from typing import Any

from acetate.plugins.bridge.form import STYLE, Form
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.translations import _

_ELSEWHERE = ("task", "prompts", "clip", "original", "loras", *STYLE)
ARGUMENT_OF = {one.name: one.name.replace("_", "-") for one in fields(Form) if one.name not in _ELSEWHERE}
ARGUMENT_OF["guidance_scale"], ARGUMENT_OF["grows"] = "guidance", "enlarge-canvas"
"""The form's fields as arguments; a procedure has those that its task takes."""
TEXTS = ("prompt", "negative_prompt", "model", "upscaler", "scheduler", "spacing")
"""The fields that are texts, which GIMP gives as `None` when they were never set."""
NUMBERS = ("steps", "guidance_scale", "clip_skip")
"""The fields that a model may decide."""

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
    found |= {text: found.get(text) or "" for text in TEXTS}
    found |= {number: found.get(number, UNSET) or None for number in NUMBERS}
    if "loras" in names:
        found["loras"] = loras_of(config.get_property("loras") or "")
    if "hide-original" in names:
        found["original"] = "hide" if config.get_property("hide-original") else "keep"
    prompts = {role: config.get_property(name) or "" for role, name in PROMPT_OF_ROLE.items() if name in names}
    return Form(task=task, prompts=prompts, **found)


def loras_of(text: str) -> tuple[tuple[str, float], ...]:
    """The LoRAs of `soft, portraits/ink:0.6`: each a name and, after its last colon, a weight, else 1. Raises `RefusedError`."""
    found = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, colon, weight = part.rpartition(":")
        try:
            found.append((name.strip(), float(weight)) if colon else (part, 1.0))
        except ValueError:
            raise RefusedError(
                _("The LoRA is {lora}. Give a name, or a name and a number: soft, or soft:0.6.").format(lora=part)
            ) from None
    return tuple(found)


def text_of_loras(loras: Collection[tuple[str, float]]) -> str:
    """LoRAs as `loras_of` reads them."""
    return ", ".join(f"{name}:{weight:g}" for name, weight in loras)


def fill(config: Any, names: Collection[str], form: Form) -> None:
    """Set the config's arguments to the form's values; one that GIMP refuses, as out of range, stays as it was."""
    for field, name in ARGUMENT_OF.items():
        value = getattr(form, field)
        if name in names:
            _set(config, name, UNSET if value is None else value)
    if "loras" in names:
        _set(config, "loras", text_of_loras(form.loras))
    for role, name in PROMPT_OF_ROLE.items():
        if name in names:
            _set(config, name, form.prompts.get(role, ""))


def _set(config: Any, name: str, value: Any) -> None:
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        config.set_property(name, value)
