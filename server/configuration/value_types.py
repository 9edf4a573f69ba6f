"""What a setting's value can be: read from text and from TOML, refused in words, written. Knows types; no setting."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from ..settings import Range

TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
AUTO = "auto"
"""What stands for `None` in a list."""


@dataclass(frozen=True)
class ValueType:
    """`right` says what is right, `takes` whether a value of TOML is; `of_text` and `written` lead from and to text."""

    right: str
    takes: Callable[[Any], bool]
    of_text: Callable[[str], Any]
    """The value as TOML would have it. Raises `ValueError`."""
    made: Callable[[Any], Any] = lambda value: value
    """The setting's value from one of TOML."""
    written: Callable[[Any], str] = repr
    """The TOML of a setting's value."""

    def checked(self, value: Any) -> Any:
        """The setting's value from one of TOML. Raises `ValueError` with what would be right."""
        if not self.takes(value):
            raise ValueError(f"{_shown(value)}; it must be {self.right}")
        return self.made(value)

    def read(self, text: str) -> Any:
        """The setting's value from a text. Raises `ValueError` with what would be right."""
        try:
            value = self.of_text(text.strip())
        except ValueError:
            raise ValueError(f"{_shown(text)}; it must be {self.right}") from None
        return self.checked(value)


def type_of(hint: Any, unit: str = "") -> ValueType:
    """The type that an annotation of `Settings` stands for. Raises `TypeError` for one that no text could be read as."""
    if get_origin(hint) is Annotated:
        inner, found = get_args(hint)[0], next(extra for extra in get_args(hint)[1:] if isinstance(extra, Range))
        return _number(inner is int, found, unit)
    if get_origin(hint) in (Union, types.UnionType):
        (inner,) = (part for part in get_args(hint) if part is not type(None))
        return type_of(inner, unit)
    if get_origin(hint) is Literal:
        return _one_of(get_args(hint))
    if get_origin(hint) is tuple:
        return _list(type_of(get_args(hint)[0], unit))
    if hint is bool:
        return ValueType("true or false", lambda value: isinstance(value, bool), _truth, written=lambda value: str(value).lower())
    if hint in (int, float):
        return _number(hint is int, Range(), unit)
    if hint is str:
        return ValueType("a text", lambda value: isinstance(value, str), str, written=_quoted)
    if hint is Path:
        named = ValueType("a file's path", lambda value: isinstance(value, str) and value != "", str)
        return ValueType(named.right, named.takes, str, lambda value: Path(value).expanduser(), lambda value: _quoted(str(value)))
    raise TypeError(f"no setting can be a {hint}")


def _number(whole: bool, right: Range, unit: str) -> ValueType:
    def takes(value: Any) -> bool:
        number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        return number and right.low <= value <= right.high  # which no NaN is

    of = f" of {unit}" if unit else ""
    limits = f"from {_plain(right.low)} to {_plain(right.high)}" if right.high < Range().high else f"{_plain(right.low)} or more"
    kind = "a whole number" if whole else "a number"
    return ValueType(f"{kind}{of}, {limits}", takes, int if whole else float, int if whole else float, _plain)


def _one_of(options: tuple[str, ...]) -> ValueType:
    return ValueType(f"one of {', '.join(options)}", lambda value: value in options, str, written=_quoted)


def _list(item: ValueType) -> ValueType:
    """A list; `auto` in it stands for `None`."""

    def takes(value: Any) -> bool:
        return isinstance(value, (list, tuple)) and all(map(item.takes, value))

    return ValueType(
        f"a list, each {item.right}",
        takes,
        lambda text: [item.of_text(part.strip()) for part in text.split(",") if part.strip()],
        lambda values: tuple(None if value == AUTO else item.made(value) for value in values),
        lambda values: f"[{', '.join(item.written(AUTO if value is None else value) for value in values)}]",
    )


def _truth(text: str) -> bool:
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise ValueError


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in escaped) + '"'


def _shown(value: Any) -> str:
    """The value that was given, as it would be in TOML as far as that is short."""
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    return shown if len(shown) <= 80 else shown[:80] + "…"
