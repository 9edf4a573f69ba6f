"""Frozen dataclasses to and from JSON objects, checked field by field against their annotations.

Knows nothing of what the fields mean. Understood annotations: `bool`, `int`, `float`, `str`, `Any`, `X | Y`, `Literal`,
`tuple[X, ...]`, `tuple[X, Y]`, `Mapping[str, X]`, other dataclasses, and `Annotated` with those of `annotations.py` or the
vocabulary's `Clean`. The server's `schemas/` tells the same annotations to other programs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import re
import sys
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from acetate.vocabulary.names import Clean, clean

from .annotations import AtMost, Between, Fields, Matching
from .errors import ProtocolError

T = TypeVar("T")
Check = Callable[[Any, str], Any]


def encode(value: Any) -> Any:
    """The JSON form: dataclasses become objects without the fields that have their default."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: encode(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if _is_required(field) or getattr(value, field.name) != _default(field)
        }
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def decode(cls: type[T], value: Any, where: str, *, strict: bool = True) -> T:
    """A `cls` from a JSON object. Raises `ProtocolError` for a wrong field, and with `strict` for an unknown one."""
    if not isinstance(value, dict):
        raise _wrong(where, value, "a JSON object")
    hashable: Any = cls  # mypy takes `type[T]` for unhashable
    fields = _fields(hashable, strict)
    unknown = [name for name in value if name not in fields]
    if unknown and strict:
        raise ProtocolError("bad-message", f"{where} has the unknown field {unknown[0]!r}; known are {', '.join(fields)}")
    missing = [name for name, (_, required) in fields.items() if required and name not in value]
    if missing:
        raise ProtocolError("bad-message", f"{where} lacks {missing[0]!r}")
    known = {name: fields[name][0](item, f"{where}.{name}") for name, item in value.items() if name in fields}
    return cls(**known)


def parse(text: str | bytes, where: str = "message") -> dict[str, Any]:
    """A JSON object from text that may be hostile.

    Raises `ProtocolError` for depth, NaN, giant numbers, duplicate keys and lone surrogates.
    """
    try:
        value = json.loads(
            text, parse_constant=_no_constant, parse_int=_bounded_int, parse_float=_finite_float, object_pairs_hook=_unique_keys
        )
    except RecursionError:
        raise ProtocolError("bad-message", f"{where} is nested too deeply for JSON of this protocol") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ProtocolError("bad-message", f"{where} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise _wrong(where, value, "a JSON object")
    return value


def dump(value: Any) -> str:
    """The value as compact JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


@cache
def _fields(cls: Any, strict: bool) -> dict[str, tuple[Check, bool]]:
    hints = get_type_hints(cls, include_extras=True)
    return {
        field.name: (_check_for(hints[field.name], strict), _is_required(field))
        for field in dataclasses.fields(cls)
        if field.init
    }


def _check_for(hint: Any, strict: bool) -> Check:
    """A function that returns the value in its Python form or raises, naming the value and what would be right."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        cleaned = any(isinstance(limit, Clean) for limit in arguments[1:])
        return _limited(_label if cleaned else _check_for(arguments[0], strict), arguments[1:])
    if origin in (Union, types.UnionType):
        checks = [_check_for(argument, strict) for argument in arguments if argument is not type(None)]
        return _either(checks, optional=len(checks) < len(arguments))
    if origin is Literal:
        return _one_of(arguments)
    if origin is tuple:
        return _sequence(arguments, strict)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_check_for(arguments[1], strict))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return lambda value, where: decode(hint, value, where, strict=strict)
    return _PLAIN[hint]


def _integer(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(where, value, "an integer")
    return value


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _wrong(where, value, "a finite number")
    return float(value)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(where, value, "a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ProtocolError("bad-message", f"{where} has half a surrogate pair, which is not a character") from None
    return value


def _label(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(where, value, "a text")
    return clean(value)


def _boolean(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, value, "true or false")
    return value


_PLAIN: dict[Any, Check] = {int: _integer, float: _number, str: _text, bool: _boolean, Any: lambda value, where: value}


def _one_of(choices: tuple[Any, ...]) -> Check:
    def check(value: Any, where: str) -> Any:
        for choice in choices:
            if type(value) is type(choice) and value == choice:
                return choice
        raise _wrong(where, value, f"one of {', '.join(map(str, choices))}")

    return check


def _either(checks: list[Check], *, optional: bool) -> Check:
    def check(value: Any, where: str) -> Any:
        if value is None and optional:
            return None
        for attempt in checks[:-1]:
            with contextlib.suppress(ProtocolError):
                return attempt(value, where)
        return checks[-1](value, where)

    return check


def _sequence(arguments: tuple[Any, ...], strict: bool) -> Check:
    endless = len(arguments) == 2 and arguments[1] is Ellipsis
    checks = [_check_for(argument, strict) for argument in arguments if argument is not Ellipsis]

    def check(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or not (endless or len(value) == len(checks)):
            raise _wrong(where, value, "a list" if endless else f"a list of {len(checks)}")
        return tuple(checks[0 if endless else i](item, f"{where}[{i}]") for i, item in enumerate(value))

    return check


def _mapping(item_check: Check) -> Check:
    def check(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(where, value, "a JSON object")
        return {_text(key, where): item_check(item, f"{where}.{key}") for key, item in value.items()}

    return check


def _limited(inner: Check, limits: tuple[Any, ...]) -> Check:
    def check(value: Any, where: str) -> Any:
        value = inner(value, where)
        if value is None:
            return value
        for limit in limits:
            if isinstance(limit, Between) and not limit.low <= value <= limit.high:
                raise _wrong(where, value, f"a number from {limit.low:g} to {limit.high:g}")
            if isinstance(limit, AtMost) and len(value) > limit.count:
                raise ProtocolError("too-large", f"{where} has a length of {len(value)}; at most {limit.count} is allowed")
            if isinstance(limit, Fields):
                for name, of_field in limit.limits:
                    _limited(_PLAIN[Any], (of_field,))(getattr(value, name), f"{where}.{name}")
            if isinstance(limit, Matching) and not re.fullmatch(limit.pattern, value):
                raise _wrong(where, value, limit.meaning)
        return value

    return check


def _wrong(where: str, value: Any, right: str) -> ProtocolError:
    shown = repr(value)
    return ProtocolError("bad-message", f"{where} is {shown if len(shown) <= 80 else shown[:77] + '...'}; it must be {right}")


def _no_constant(name: str) -> Any:
    raise ProtocolError("bad-message", f"the message holds {name}, which is not a JSON number")


def _bounded_int(text: str) -> int:
    value = int(text) if len(text) <= 20 else sys.maxsize + 1
    if abs(value) > sys.maxsize:
        raise ProtocolError("bad-message", f"the message holds the number {text[:24]}..., which does not fit 64 bits")
    return value


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ProtocolError("bad-message", f"the message holds the number {text[:24]}, which is not finite")
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ProtocolError("bad-message", "the message names a field twice")
    return found
