"""Prompts that change on the way or consist of several: `[a:b:0.5]`, `[a|b]` and `a AND b :1.2`. Knows text and steps.

A bracket that is none of these stays as it was written; so does whatever stands behind a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ..values.errors import BadRequest

_NUMBER = re.compile(r"\s*\+?(\d+\.?\d*|\.\d+)\s*")
_LANDMARK = re.compile(r"\\.|[(\[（［]|[)\]）］]|\bAND\b", re.DOTALL)
_WEIGHT = re.compile(r"\s*(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+))\s*")
_EMBEDDING = re.compile(r"\bembedding:\Z", re.IGNORECASE)
_OPEN, _CLOSE = "[［", "]］"
_ROUND_OPEN, _ROUND_CLOSE = "(（", ")）"
_SEPARATORS = {":": ":", "：": ":", "|": "|", "｜": "|"}


MOST_COMPOSED = 8
"""The most prompts that `AND` may join: each takes as long as the picture would without it."""
DEEPEST = 50
"""Brackets that are nested deeper are no one's intention."""


class Composed(NamedTuple):
    """One of the prompts that `AND` joins."""

    text: str
    weight: float = 1.0
    """How far it leads from the negative prompt, times the guidance scale."""


def split_composed(prompt: str) -> list[Composed]:
    """The prompts between `AND`, each with its weight; a prompt without `AND` is one of weight 1, as it stands.

    Raises `BadRequest` for more than `MOST_COMPOSED`.
    """
    ends = [place for place, depth in _joints(prompt) if depth == 0]
    if not ends:
        return [Composed(prompt)]
    if len(ends) >= MOST_COMPOSED:
        raise BadRequest(f"AND joins {len(ends) + 1} prompts; at most {MOST_COMPOSED} are taken, as each is drawn in every step")
    starts = [0, *(place + len("AND") for place in ends)]
    texts = [prompt[start:end] for start, end in zip(starts, [*ends, len(prompt)], strict=True)]
    found = [_weighted(text) for text in texts]
    return [one for one in found if one.text.strip()] or [Composed("")]


def at_step(prompt: str, step: int, steps: int) -> str:
    """The prompt's words in step `step`, from 0, of `steps`.

    `[a:b:0.5]` is a for half of the steps and then b, `[a:b:8]` a for eight of them; `[b:0.5]` begins with nothing and `[a::0.5]`
    ends with it. `[a|b]` takes turns.
    """
    return "".join(_worded(part, step, steps) for part in _parse(prompt).options[0])


def is_scheduled(prompt: str) -> bool:
    """Whether the words differ from step to step."""
    return any(_changes(part) for part in _parse(prompt).options[0])


def worthless_words(prompt: str, *, negative: bool = False) -> list[str]:
    """What looks like a part of the language, and is not: sentences for a person."""
    notes: list[str] = []
    depths = [depth for _, depth in _joints(prompt)]
    if negative and depths:
        notes.append("AND in the negative prompt was read as a word")
    elif any(depths):
        notes.append("AND within brackets was read as a word")
    if _deepest(prompt) > DEEPEST:
        notes.append(f"brackets are nested more than {DEEPEST} deep: schedules in them were read as words")
    for bracket in _brackets(_parse(prompt)):
        if len(bracket.options) == 1 and len(bracket.parts) > 3 and _NUMBER.fullmatch(bracket.parts[-1]):
            notes.append(f"{bracket.written!r} was read as words: it has {len(bracket.parts)} parts, and [from:to:0.5] has three")
    return notes


@dataclass
class _Bracket:
    """A square bracket: text and brackets, by the separators at its own depth."""

    opening: str = ""
    closing: str = ""
    options: list[list[str | _Bracket]] = field(default_factory=lambda: [[]])
    """What stands between `|`."""
    colons: list[tuple[int, int]] = field(default_factory=list)
    """Where a colon stands at its own depth: option, and place in it."""

    @property
    def parts(self) -> list[str]:
        """The texts between colons; of a bracket with `|` none."""
        if len(self.options) > 1:
            return []
        content, ends = self.options[0], [place for _, place in self.colons]
        starts = [0, *(end + 1 for end in ends)]
        return ["".join(map(_text, content[a:b])) for a, b in zip(starts, [*ends, len(content)], strict=True)]

    @property
    def written(self) -> str:
        inner = "|".join("".join(map(_text, option)) for option in self.options)
        return f"{self.opening}{inner}{self.closing}"

    @property
    def switch(self) -> float | None:
        """When a scheduled bracket changes: a share of the steps, or a number of them; `None` for other brackets."""
        parts = self.parts
        return float(parts[-1]) if len(parts) in (2, 3) and _NUMBER.fullmatch(parts[-1]) else None


def _parse(prompt: str) -> _Bracket:
    """The whole prompt as the inside of a bracket; brackets without a partner are text, and so are those nested too deep."""
    if _deepest(prompt) > DEEPEST:
        return _Bracket(options=[[prompt]])
    stack, rounds = [_Bracket()], [0]
    place = 0
    while place < len(prompt):
        letter = prompt[place]
        top = stack[-1]
        if letter == "\\" and place + 1 < len(prompt):
            top.options[-1].append(prompt[place : place + 2])
            place += 2
            continue
        place += 1
        if letter in _OPEN:
            stack.append(_Bracket(letter))
            rounds.append(0)
        elif letter in _CLOSE and len(stack) > 1:
            top.closing = letter
            stack.pop()
            rounds.pop()
            stack[-1].options[-1].append(top)
        elif letter in _SEPARATORS and len(stack) > 1 and rounds[-1] == 0 and not _EMBEDDING.search(prompt, 0, place):
            if _SEPARATORS[letter] == "|":
                top.options.append([])
            else:
                top.colons.append((len(top.options) - 1, len(top.options[-1])))
                top.options[-1].append(letter)
        else:
            rounds[-1] = max(0, rounds[-1] + (letter in _ROUND_OPEN) - (letter in _ROUND_CLOSE))
            top.options[-1].append(letter)
    while len(stack) > 1:
        unclosed = stack.pop()
        stack[-1].options[-1] += [unclosed.opening, *_inside(unclosed)]
    return stack[0]


def _inside(bracket: _Bracket) -> list[str | _Bracket]:
    """What stands in a bracket that turned out to be none."""
    found = list(bracket.options[0])
    for option in bracket.options[1:]:
        found += ["|", *option]
    return found


def _worded(part: str | _Bracket, step: int, steps: int) -> str:
    if isinstance(part, str):
        return part
    if len(part.options) > 1:
        return "".join(_worded(one, step, steps) for one in part.options[step % len(part.options)])
    when = part.switch
    if when is None:
        inner = "".join(_worded(one, step, steps) for one in part.options[0])
        return f"{part.opening}{inner}{part.closing}"
    until = int(when * steps) if "." in part.parts[-1] and when <= 1 else int(when)
    ends = [place for _, place in part.colons]
    before, after = (part.options[0][: ends[0]], part.options[0][ends[0] + 1 : ends[1]]) if len(ends) == 2 else ([], [])
    if len(ends) == 1:
        after = part.options[0][: ends[0]]
    return "".join(_worded(one, step, steps) for one in (before if step < until else after))


def _changes(part: str | _Bracket) -> bool:
    if isinstance(part, str):
        return False
    return len(part.options) > 1 or part.switch is not None or any(_changes(one) for one in part.options[0])


def _brackets(bracket: _Bracket) -> Iterator[_Bracket]:
    for option in bracket.options:
        for one in option:
            if isinstance(one, _Bracket):
                yield one
                yield from _brackets(one)


def _text(part: str | _Bracket) -> str:
    return part if isinstance(part, str) else part.written


def _joints(prompt: str) -> list[tuple[int, int]]:
    """Where each `AND` begins, and how many brackets are open there."""
    found, depth = [], 0
    for match in _LANDMARK.finditer(prompt):
        if match[0] == "AND":
            found.append((match.start(), depth))
        else:
            depth = max(0, depth + _step(match[0]))
    return found


def _deepest(prompt: str) -> int:
    """How many brackets are open at most."""
    depth = most = 0
    for match in _LANDMARK.finditer(prompt):
        depth = max(0, depth + _step(match[0]))
        most = max(most, depth)
    return most


def _step(mark: str) -> int:
    return (mark in _ROUND_OPEN + _OPEN) - (mark in _ROUND_CLOSE + _CLOSE)


def _weighted(text: str) -> Composed:
    colon = max(text.rfind(":"), text.rfind("："))
    match = _WEIGHT.fullmatch(text, colon + 1) if colon >= 0 else None
    return Composed(text[:colon].strip(), float(match["weight"])) if match else Composed(text.strip())
