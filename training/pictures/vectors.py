"""Noto Emoji's vector artwork: which pictures the model is shown, and their renderings at any size.

Read from npm's package `@iconify-json/noto` (artwork Apache-2.0, copyright Google Inc.), unpacked; rendered by `resvg-py`.
Knows files and which subjects are fit; knows no words and no network.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from acetate.raster import RGBA
from numpy.typing import NDArray
from PIL import Image

MARGIN = 0.055
"""What stays clear around a subject, as a share of the side."""
FIT = {"Activities", "Animals & Nature", "Food & Drink", "Objects", "People & Body", "Smileys & Emotion", "Travel & Places"}
"""Categories without flags, and without symbols but for those that follow."""
SYMBOLS = {
    *("radioactive", "biohazard", "check-mark", "cross-mark", "star-of-david", "eight-pointed-star", "atom-symbol"),
    *("fleur-de-lis", "infinity", "peace-symbol", "recycling-symbol", "red-question-mark", "red-exclamation-mark", "splatter"),
    *("trident-emblem", "warning", "yin-yang", "no-entry", "large-orange-diamond", "heavy-dollar-sign", "latin-cross", "menorah"),
}
UNFIT = re.compile(
    r"middle-finger|.*-facing-right|famil.*-.*|couple-.*-.*-.*|kiss-.*|.*-clock|.*-thirty|.*oclock.*|letter-.*|keycap.*|.*-button.*"
)
"""Offensive, mirrored or hard to tell from another: several of one kind make each other no clearer."""
GENDERED = re.compile(r"(?:wo)?m[ae]n-(?P<what>.+)")


@dataclass(frozen=True)
class Vector:
    """One subject's artwork."""

    name: str
    character: str
    """Its emoji, by which words are found."""
    body: str
    """The elements of an SVG of 128 x 128."""


def read(package: Path) -> list[Vector]:
    """The fit subjects of the unpacked package, sorted by name. Raises `FileNotFoundError` where it is not there."""
    icons, characters, told = (
        json.loads((package / f"{name}.json").read_text("utf-8")) for name in ("icons", "chars", "metadata")
    )
    category = {name: kind for kind, names in told["categories"].items() for name in names}
    points: dict[str, str] = {}
    for point, name in characters.items():
        points.setdefault(name, point)
    fit = {name for name in points if (category.get(name) in FIT and not UNFIT.fullmatch(name)) or name in SYMBOLS}
    found = []
    for name in sorted(fit):
        character = "".join(chr(int(code, 16)) for code in points[name].split("-"))
        toned = any("\U0001f3fb" <= letter <= "\U0001f3ff" for letter in character)
        gendered = GENDERED.fullmatch(name)
        neutral = gendered and {gendered["what"], f"person-{gendered['what']}"} & fit
        if not toned and not neutral and name in icons["icons"]:
            found.append(Vector(name, character, icons["icons"][name]["body"]))
    return found


def render(vector: Vector, size: int) -> RGBA:
    """The subject, as large as the margin lets it be and centred, `(size, size, 4)` premultiplied."""
    rough = _drawn(vector.body, (0.0, 0.0, 128.0), 128)
    rows, columns = (np.flatnonzero((rough[..., 3] > 8).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise ValueError(f"{vector.name} has no picture")
    top, bottom, left, right = rows[0] - 0.5, rows[-1] + 1.5, columns[0] - 0.5, columns[-1] + 1.5
    side = max(bottom - top, right - left) / (1 - 2 * MARGIN)
    return _drawn(vector.body, ((left + right - side) / 2, (top + bottom - side) / 2, side), size)


def _drawn(body: str, frame: tuple[float, float, float], size: int) -> RGBA:
    """`frame` is left, top and side in the artwork's units; what comes back is premultiplied."""
    import resvg_py

    left, top, side = frame
    header = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{left} {top} {side} {side}"'
    )
    png = resvg_py.svg_to_bytes(svg_string=f'{header} width="{size}" height="{size}">{body}</svg>')
    straight = np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGBA"))
    premultiplied = straight.copy()
    premultiplied[..., :3] = (straight[..., :3].astype(np.uint16) * straight[..., 3:] + 127) // 255
    return premultiplied


def rendered(vectors: list[Vector], size: int, path: Path) -> NDArray[np.uint8]:
    """All of them, `(N, size, size, 4)` premultiplied, mapped from `path`, where they are kept."""
    if not path.exists():
        temporary = path.with_suffix(".tmp.npy")
        made = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=(len(vectors), size, size, 4))
        for index, vector in enumerate(vectors):
            made[index] = render(vector, size)
        made.flush()
        temporary.replace(path)
    return cast(NDArray[np.uint8], np.load(path, mmap_mode="r"))


def held_out(count: int) -> NDArray[np.bool_]:
    """Which of `count` subjects no network is trained on: every 20th."""
    chosen: NDArray[np.bool_] = np.arange(count) % 20 == 7
    return chosen


def names(vectors: list[Vector]) -> Iterator[str]:
    """Their names, in order."""
    return (vector.name for vector in vectors)
