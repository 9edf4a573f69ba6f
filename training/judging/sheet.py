"""The contact sheet `docs/sketchpad.png`: every subject once, then colours and materials, on a checkerboard, with their words.

`python -m training.judging.sheet docs/sketchpad.png`
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from acetate.engine.values.request import Picture, Request
from acetate.raster import RGBA
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..pictures.subjects import HUES, SUBJECTS

COLUMNS, CELL, CAPTION, SQUARE = 16, 96, 16, 8


def prompts() -> list[str]:
    """The prompts of the sheet's pictures."""
    rest = [f"a {colour} {noun}" for noun in ("car", "butterfly") for colour in HUES]
    rest += [f"a {colour} {what}" for what in ("glass ball", "metal cube") for colour in ("blue", "green", "red")]
    return [
        *(f"a {subject}" for subject in SUBJECTS),
        *rest,
        "grey smoke",
        "blue smoke",
        "orange glow",
        "soft shadow",
        "a pink bubble",
    ]


def sheet(pictures: Sequence[tuple[str, RGBA]]) -> Image.Image:
    """Pictures, `(H, W, 4)` straight, in rows, each on a checkerboard with its prompt below."""
    font = ImageFont.load_default(11)
    page = Image.new("RGB", (COLUMNS * CELL, -(-len(pictures) // COLUMNS) * (CELL + CAPTION)), "white")
    draw = ImageDraw.Draw(page)
    for i, (prompt, rgba) in enumerate(pictures):
        left, top = i % COLUMNS * CELL, i // COLUMNS * (CELL + CAPTION)
        page.paste(Image.fromarray(_on_checkerboard(rgba)), (left, top))
        draw.text((left + CELL // 2, top + CELL + CAPTION // 2), prompt.removeprefix("a "), "black", font, anchor="mm")
    return page


def _on_checkerboard(rgba: RGBA) -> NDArray[np.uint8]:
    """`(CELL, CELL, 3)`."""
    y, x = np.mgrid[0:CELL, 0:CELL] // SQUARE
    board = np.where((y + x) % 2, 238, 204).astype(np.float32)[..., None]
    small = np.asarray(Image.fromarray(rgba).convert("RGBa").resize((CELL, CELL), Image.Resampling.LANCZOS), np.float32)
    rounded: NDArray[np.uint8] = np.clip(small[..., :3] + board * (1 - small[..., 3:] / 255) + 0.5, 0, 255).astype(np.uint8)
    return rounded


def main() -> None:
    """Generate and write."""
    from acetate.engine.engine import Engine

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="only each n-th prompt")
    options = parser.parse_args()
    engine = Engine("cpu")
    pictures = [
        (prompt, result.rgba)
        for prompt in prompts()[:: options.every]
        for result in engine.run(Request(prompt=prompt, seed=options.seed))
        if isinstance(result, Picture)
    ]
    sheet(pictures).save(options.file, optimize=True)


if __name__ == "__main__":
    main()
