"""A request as plain JSON values and back: what travels in files, in the history and on a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acetate.vocabulary.engine_options import ENGINE_OPTIONS
from acetate.vocabulary.parameters import PARAMETERS
from acetate.vocabulary.verdict import of_parameters

from .errors import BadRequest
from .lora_tag import LoraTag
from .request import Request

_NAMES = ("task", *PARAMETERS)
_ALWAYS = ("task", "prompt", "model", "seed")
_DEFAULTS = Request()


def to_json(request: Request) -> dict[str, Any]:
    """Every field but the pictures that differs from its default; the task, prompt, model and seed always."""
    values = {name: getattr(request, name) for name in _NAMES}
    return {name: _plain(value) for name, value in values.items() if name in _ALWAYS or value != getattr(_DEFAULTS, name)}


def from_json(values: Mapping[str, Any]) -> Request:
    """The request that `to_json` wrote. Raises `BadRequest` for an unknown parameter or a wrong value.

    How networks were run may be noted with a request, but is not a part of it.
    """
    parameters = {name: value for name, value in values.items() if name != "task" and name not in ENGINE_OPTIONS}
    if wrong := of_parameters(parameters, paths=True):
        raise BadRequest(wrong.message, wrong.hint)
    if "loras" in parameters:
        parameters["loras"] = tuple(LoraTag.of(entry).entry for entry in parameters["loras"])
    return Request(task=values.get("task", _DEFAULTS.task), **parameters)


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    return dict(value) if isinstance(value, Mapping) else value
