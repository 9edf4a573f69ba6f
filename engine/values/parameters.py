"""A request as plain JSON values and back: what travels in files, in the history and on a layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from .errors import BadRequest
from .request import Request

PIXELS = frozenset({"source", "mask", "foreground", "background", "blended"})
"""Fields that hold pictures; they do not travel with the parameters."""

_FIELDS = {field.name: field for field in dataclasses.fields(Request) if field.name not in PIXELS}
_DEFAULTS = Request()


def to_json(request: Request) -> dict[str, Any]:
    """Every field but the pictures that differs from its default; the task, prompt, model and seed always."""
    result: dict[str, Any] = {}
    for name in _FIELDS:
        value = getattr(request, name)
        if name in ("task", "prompt", "model", "seed") or value != getattr(_DEFAULTS, name):
            result[name] = _plain(value)
    return result


def from_json(values: Mapping[str, Any]) -> Request:
    """The request that `to_json` wrote; raises `BadRequest` naming a field that does not exist or has the wrong type.

    How networks were run (`acceleration`) is noted beside a request where it shows, but is not a part of it.
    """
    values = {name: value for name, value in values.items() if name != "acceleration"}
    unknown = sorted(set(values) - set(_FIELDS))
    if unknown:
        raise BadRequest(f"unknown parameter {unknown[0]!r}", f"one of {', '.join(sorted(_FIELDS))}")
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        arguments[name] = _loras(value) if name == "loras" else value
        expected = _EXPECTED[name]
        if not isinstance(arguments[name], expected) or isinstance(value, bool) and bool not in expected:
            raise BadRequest(f"{name} is {value!r}; that is not a value for it")
    return Request(**arguments)


def _loras(value: Any) -> tuple[tuple[str, float], ...]:
    try:
        return tuple((str(name), float(weight)) for name, weight in value)
    except (TypeError, ValueError):
        raise BadRequest(f"loras is {value!r}; pairs of a name and a weight would be right") from None


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return dict(value) if isinstance(value, Mapping) else value


def _types(hint: Any) -> tuple[type, ...]:
    """The Python types that a field's annotation allows in JSON."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return tuple(kind for argument in arguments for kind in _types(argument))
    if origin is Literal:
        return tuple({type(argument) for argument in arguments})
    if origin is not None:
        return (dict,) if issubclass(origin, Mapping) else (origin,)
    return (int, float) if hint is float else (hint,)


_EXPECTED = {name: _types(hint) for name, hint in get_type_hints(Request).items() if name in _FIELDS}
