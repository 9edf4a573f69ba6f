"""Choices by the seed: `{a|b}`, `{2$$a|b|c}` and wildcards `__name__`, whose lines stand in files. Knows text and a folder.

The same prompt with the same seed and the same files gives the same words on every machine.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from pathlib import Path

from ..values.errors import BadRequest

DEEPEST = 20
"""How often a choice's words may hold choices again: a wildcard that names itself would go on for ever."""
LONGEST = 100_000
"""The most characters that a prompt may grow to on the way."""
JOINT = ", "
"""What stands between several choices."""

_WILDCARD = re.compile(r"__(?P<name>[^\W_](?:[\w./-]{0,98}?[^\W_])?)__")
_INNERMOST = re.compile(r"(?<!\\)[{｛](?P<inside>(?:\\.|[^{}｛｝\\])*)[}｝]", re.DOTALL)
_COUNT = re.compile(r"\s*(?P<least>\d+)?\s*(?P<range>-)?\s*(?P<most>\d+)?\s*\$\$(?:(?P<joint>(?:(?!\$\$).)*)\$\$)?", re.DOTALL)
_WEIGHT = re.compile(r"\s*(?P<weight>\d+\.?\d*|\.\d+)::")


class Wildcards:
    """The lists in a folder of text files: one choice a line, `#` begins a remark."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def lines(self, name: str) -> list[str]:
        """The choices of the file `NAME.txt`. Raises `BadRequest` where there is none, or nothing in it."""
        path = self.folder / f"{name}.txt"
        if ".." in Path(name).parts or not path.is_file():
            known = sorted(one.relative_to(self.folder).with_suffix("").as_posix() for one in self.folder.rglob("*.txt"))
            close = difflib.get_close_matches(name, known, n=3) or known[:5]
            hint = (
                f"There are: {', '.join(close)}."
                if close
                else "Wildcards are text files in the folder wildcards beside models; there is none."
            )
            raise BadRequest(f"there is no wildcard __{name}__", hint)
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        found = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        if not found:
            raise BadRequest(f"the wildcard __{name}__ has no lines", f"Write one choice a line in {name}.txt.")
        return found


def is_dynamic(prompt: str) -> bool:
    """Whether a prompt holds a choice."""
    return bool(_INNERMOST.search(prompt) or _WILDCARD.search(prompt))


def chosen(prompt: str, seed: int, wildcards: Wildcards) -> str:
    """The prompt with every choice made by `seed`; braces after a backslash stay.

    Raises `BadRequest` for a wildcard or a number of choices that cannot be.
    """
    draw = _Draw(seed)
    for _ in range(DEEPEST):
        before = prompt
        prompt = _WILDCARD.sub(lambda match: draw.one(wildcards.lines(match["name"])), prompt)
        prompt = _INNERMOST.sub(lambda match: _choice(match[0], match["inside"], draw), prompt)
        if len(prompt) > LONGEST:
            raise BadRequest(f"the prompt's choices have more than {LONGEST} characters", "shorten the lines of its wildcards")
        if prompt == before:
            return prompt
    raise BadRequest("the prompt's choices never end", "A wildcard seems to name itself, or another one that names it.")


def _choice(written: str, inside: str, draw: _Draw) -> str:
    """What a pair of braces becomes: `a|b`, `2::a|b` with weights, `2$$a|b|c`, `1-2$$ and $$a|b`."""
    count = _COUNT.match(inside)
    options = _split(inside[count.end() :] if count else inside)
    weights = [float(match["weight"]) if (match := _WEIGHT.match(option)) else 1.0 for option in options]
    texts = [_WEIGHT.sub("", option, count=1).strip() for option in options]
    if not any(weights):
        raise BadRequest(f"{written!r} chooses among nothing: every weight is 0")
    if count is None:
        return draw.some(texts, weights, 1)[0]
    least = int(count["least"] or (0 if count["range"] else 1))
    most = int(count["most"] or (len(texts) if count["range"] else least))
    if not least <= most <= len(texts):
        raise BadRequest(f"{written!r} takes {least if least == most else f'{least} to {most}'} of {len(texts)}")
    taken = draw.some(texts, weights, least + draw.below(most - least + 1))
    return (JOINT if count["joint"] is None else count["joint"]).join(taken)


def _split(inside: str) -> list[str]:
    """The options between bars; a bar within square brackets takes turns, and is none of these."""
    options, depth = [""], 0
    for piece in re.findall(r"\\.|.", inside, re.DOTALL):
        depth = max(0, depth + (piece in "[［") - (piece in "]］"))
        if piece in "|｜" and depth == 0:
            options.append("")
        else:
            options[-1] += piece
    return options


class _Draw:
    """Random numbers that depend on the seed alone: hashes, as Python's own generator may change."""

    def __init__(self, seed: int) -> None:
        self._seed, self._count = seed, 0

    def share(self) -> float:
        """The next number in [0, 1)."""
        self._count += 1
        digest = hashlib.sha256(f"{self._seed}:{self._count}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48

    def below(self, end: int) -> int:
        """The next whole number in [0, end)."""
        return int(self.share() * end)

    def one(self, texts: list[str]) -> str:
        return texts[self.below(len(texts))]

    def some(self, texts: list[str], weights: list[float], count: int) -> list[str]:
        """`count` different ones, in the order drawn, by their weights."""
        left, found = list(zip(texts, weights, strict=True)), []
        for _ in range(count):
            place = self.share() * sum(weight for _, weight in left)
            index = 0
            while index < len(left) - 1 and place >= left[index][1]:
                place -= left[index][1]
                index += 1
            found.append(left.pop(index)[0])
        return found
