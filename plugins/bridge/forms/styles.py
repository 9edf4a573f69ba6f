"""Styles: words that go around a prompt, and settings that go with them, under a name of the artist's own. Knows no widget.

A style's words take the place of nothing: they are put around the prompt when it is sent, and the prompt itself stays as typed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..form import SAMPLING, WEIGHTS, Form, from_json

SETTINGS = ("model", *SAMPLING, *WEIGHTS)
"""What a style may set besides its words."""


@dataclass(frozen=True)
class Style:
    """A name with what it stands for."""

    name: str
    prompt: str = ""
    negative_prompt: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the form with their values; the others stay as they are."""

    def chosen(self, form: Form) -> Form:
        """The form after choosing the style."""
        return replace(form, style=self.name, style_prompt=self.prompt, style_negative=self.negative_prompt, **self.settings)


def without_style(form: Form) -> Form:
    """The form after choosing no style; settings stay, as the artist sees them."""
    return replace(form, style="", style_prompt="", style_negative="")


def style_of(name: str, form: Form, prompt: str = "", negative_prompt: str = "") -> Style:
    """A style with these words and what is set in the form."""
    set_there = {one: getattr(form, one) for one in SETTINGS if getattr(form, one) != getattr(Form(), one)}
    return Style(name.strip(), prompt.strip(), negative_prompt.strip(), set_there)


class StyleBook:
    """All styles by name, in the order in which they were made."""

    def __init__(self, text: str = "") -> None:
        """`text` is what `to_json` wrote; what another version wrote and cannot be used is left out."""
        try:
            kept = json.loads(text or "[]")
        except ValueError:
            kept = []
        rows = [row for row in kept if isinstance(row, dict)] if isinstance(kept, list) else []
        self._styles = {style.name: style for style in map(_style, rows) if style.name}

    def __contains__(self, name: str) -> bool:
        return name in self._styles

    @property
    def names(self) -> list[str]:
        return list(self._styles)

    def style(self, name: str) -> Style | None:
        return self._styles.get(name)

    def keep(self, style: Style) -> None:
        """Add it, in the place of the one that has its name."""
        self._styles[style.name] = style

    def remove(self, name: str) -> None:
        self._styles.pop(name, None)

    def to_json(self) -> str:
        return json.dumps([asdict(style) for style in self._styles.values()], ensure_ascii=False, separators=(",", ":"))


def _style(row: Mapping[str, Any]) -> Style:
    texts = {name: row[name] if isinstance(row.get(name), str) else "" for name in ("name", "prompt", "negative_prompt")}
    found = row.get("settings")
    usable = from_json(json.dumps(found)) if isinstance(found, dict) else Form()
    named = found if isinstance(found, dict) else {}
    settings = {one: getattr(usable, one) for one in SETTINGS if one in named and getattr(usable, one) != getattr(Form(), one)}
    return Style(**texts, settings=settings)
