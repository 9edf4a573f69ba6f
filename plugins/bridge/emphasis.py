"""Emphasis in a prompt: `(word:1.2)`, raised and lowered under the cursor. Knows text and positions, no text field."""

from __future__ import annotations

import re
from typing import NamedTuple

STEP = 0.1
LOWEST, HIGHEST = 0.1, 2.0
_WEIGHTED = re.compile(r"\(([^()]*?)(?::\s*(\d*\.?\d+)\s*)?\)")
_WORD = re.compile(r"[^\s,;()\[\]<>]+")


class Edit(NamedTuple):
    """The new text and what is selected in it."""

    text: str
    start: int
    end: int


def emphasised(text: str, start: int, end: int, steps: int) -> Edit:
    """Change the weight of the selection (or of the word at the cursor) by `steps` tenths; weight 1 has no parentheses."""
    start, end = min(start, end), max(start, end)
    found = _enclosing(text, start, end)
    if found is not None:
        inner, weight = found.group(1), float(found.group(2) or 1.1)
        outer = found.span()
    else:
        outer = _target(text, start, end)
        inner, weight = text[slice(*outer)], 1.0
    if not inner.strip():
        return Edit(text, start, end)
    weight = round(min(HIGHEST, max(LOWEST, weight + steps * STEP)), 2)
    weighted = inner if weight == 1 else f"({inner}:{weight:g})"
    begin = outer[0] + (weight != 1)
    return Edit(text[: outer[0]] + weighted + text[outer[1] :], begin, begin + len(inner))


def _enclosing(text: str, start: int, end: int) -> re.Match[str] | None:
    """The parenthesised part around the selection, or exactly selected."""
    return next((found for found in _WEIGHTED.finditer(text) if found.start() <= start and end <= found.end()), None)


def _target(text: str, start: int, end: int) -> tuple[int, int]:
    """The selection without the blanks at its ends; without a selection the word that the cursor touches."""
    if start != end:
        part = text[start:end]
        return start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())
    return next((word.span() for word in _WORD.finditer(text) if word.start() <= start <= word.end()), (start, start))
