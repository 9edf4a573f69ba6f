"""Emphasis, escapes and `BREAK`: a prompt as fragments with weights. Knows text, not tokens.

Brackets may be full-width, as East Asian keyboards write them; a bracket without its partner stays as it was written.
"""

from __future__ import annotations

import math
import re

from ..values.errors import BadRequest

STRONGER = 1.1
"""What one pair of round brackets multiplies by; one pair of square brackets divides."""

LARGEST_WEIGHT = 1000.0
"""Far beyond any weight that draws anything; the embeddings of a much larger one are no numbers any more."""

Fragment = tuple[str, float]
"""Text and its weight; 1 is plain."""

_TOKEN = re.compile(
    r"\\(?P<escaped>[\\()\[\]{}（）［］｛｝])"
    r"|(?P<open>[(\[（［])"
    r"|(?:[:：]\s*(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+))\s*)?(?P<close>[)\]）］])"
    r"|.",
    re.DOTALL,
)
_HALF_WIDTH = str.maketrans("（）［］", "()[]")
_BREAK = re.compile(r"\s*\bBREAK\b\s*")


def fragments(prompt: str) -> list[Fragment]:
    """Split a prompt by weight: `a (red:1.3) ((big)) [dog] \\(sic\\)`.

    `(text)` is 1.1, nested brackets multiply, `[text]` is 1/1.1, `(text:1.3)` is 1.3. A bracket without its partner and
    one after a backslash are text. Raises `BadRequest` for a weight beyond `LARGEST_WEIGHT`.
    """
    opened: list[str] = []
    levels: list[list[Fragment]] = [[]]
    for token in _TOKEN.finditer(prompt):
        if token["open"]:
            opened.append(token["open"])
            levels.append([])
        elif token["close"] and opened and (factor := _factor(opened[-1], token["close"], token["weight"])) is not None:
            opened.pop()
            inner = _joined(levels.pop())
            levels[-1] += [(text, weight * factor) for text, weight in inner]
        else:
            levels[-1].append((token["escaped"] or token[0], 1.0))
    while opened:
        rest = levels.pop()
        levels[-1] += [(opened.pop(), 1.0), *rest]
    joined = _joined(levels[0])
    for text, weight in joined:
        if not abs(weight) <= LARGEST_WEIGHT:
            raise BadRequest(
                f"the prompt gives {_shortened(text)!r} the weight {weight:g}; at most {LARGEST_WEIGHT:g} is taken",
                "Weights between 0.5 and 1.5 are usual.",
            )
    return joined


def between_breaks(prompt: str) -> list[list[Fragment]]:
    """The fragments between one `BREAK` and the next: at least one list, where only the last is sure to hold any.

    Raises what `fragments` does.
    """
    sections: list[list[Fragment]] = [[]]
    for text, weight in fragments(prompt):
        first, *others = _BREAK.split(text)
        sections[-1] += [(first, weight)] if first else []
        sections += [[(other, weight)] if other else [] for other in others]
    while len(sections) > 1 and not sections[-1]:
        sections.pop()
    return sections


def _factor(opening: str, closing: str, weight: str | None) -> float | None:
    """What a pair of brackets multiplies by; `None` where they are not a pair."""
    pair = (opening + closing).translate(_HALF_WIDTH)
    if pair == "()":
        return float(weight) if weight else STRONGER
    return 1 / STRONGER if pair == "[]" and not weight else None


def _joined(parts: list[Fragment]) -> list[Fragment]:
    joined: list[Fragment] = []
    for text, weight in parts:
        if joined and math.isclose(joined[-1][1], weight, rel_tol=1e-9):
            joined[-1] = (joined[-1][0] + text, joined[-1][1])
        else:
            joined.append((text, weight))
    return joined


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
