"""The settings shown: as a commented settings file, as JSON, as the tables of docs/settings.md. Knows values; reads nothing."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from .descriptions import HOME, Setting, descriptions
from .sources import Configuration

WIDTH = 110


def as_toml(configuration: Configuration) -> str:
    """A settings file that says what is so already: what differs from the defaults, and the defaults as comments."""
    return "\n".join(_toml_lines(configuration)) + "\n"


def _toml_lines(configuration: Configuration) -> Iterator[str]:
    for group, settings in groupby(descriptions().values(), lambda setting: setting.group):
        yield f"# --- {group}"
        for setting in settings:
            yield ""
            yield from textwrap.wrap(setting.meaning, WIDTH, initial_indent="# ", subsequent_indent="# ")
            source, value = configuration.sources[setting.name], getattr(configuration.settings, setting.name)
            yield from textwrap.wrap(_facts(setting, source), WIDTH, initial_indent="# ", subsequent_indent="#   ")
            text = f"{setting.name} = {setting.type.written(value)}" if value is not None else f"{setting.name} ="
            yield text if source != "default" and setting.name != HOME else f"# {text}"
        yield ""


def _facts(setting: Setting, source: str) -> str:
    if setting.name == HOME:
        return f"({source}; set by {setting.variable} alone)"
    others = " or ".join(filter(None, (setting.variable, setting.flag)))
    return f"({source}; {setting.type.right}; also {others})"


def as_json(configuration: Configuration) -> str:
    """A list of all settings with everything that is known about them."""
    return json.dumps([_row(setting, configuration) for setting in descriptions().values()], indent=2)


def _row(setting: Setting, configuration: Configuration) -> dict[str, Any]:
    return {
        "name": setting.name,
        "value": _plain(getattr(configuration.settings, setting.name)),
        "source": configuration.sources[setting.name],
        "default": _plain(setting.default),
        "unit": setting.unit,
        "right": setting.type.right,
        "variable": setting.variable,
        "option": setting.flag,
        "meaning": setting.meaning,
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def as_markdown() -> str:
    """The tables of all settings, one under each heading."""
    lines: list[str] = []
    for group, settings in groupby(descriptions().values(), lambda setting: setting.group):
        lines += [f"### {group[0].upper()}{group[1:]}", "", "| setting | meaning | what is right | default | option |"]
        lines += ["|---|---|---|---|---|", *map(_markdown_row, settings), ""]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_row(setting: Setting) -> str:
    default = setting.default
    shown = "the platform's" if setting.name == HOME else "–" if default is None else f"`{setting.type.written(default)}`"
    right = f"set by `{setting.variable}` alone" if setting.name == HOME else setting.type.right
    flag = f"`{setting.flag}`" if setting.flag else ""
    return f"| `{setting.name}` | {setting.meaning} | {right} | {shown} | {flag} |"
