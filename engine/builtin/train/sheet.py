"""The contact sheet `docs/sketchpad.png`: every subject once, then colours and materials, on a checkerboard.

`python -m acetate.engine.builtin.train.sheet docs/sketchpad.png`
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...request import RGBA, Picture, Request
from .subjects import HUES, SUBJECTS

COLUMNS, CELL, SQUARE = 20, 96, 8


def prompts() -> list[str]:
    """What the sheet shows."""
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


def sheet(pictures: list[RGBA]) -> NDArray[np.uint8]:
    """Pictures in rows on a checkerboard, `(H, W, 3)`."""
    rows = -(-len(pictures) // COLUMNS)
    y, x = np.mgrid[0 : rows * CELL, 0 : COLUMNS * CELL]
    board = np.where((y // SQUARE + x // SQUARE) % 2, 238, 204).astype(np.float32)[..., None].repeat(3, axis=2)
    for i, rgba in enumerate(pictures):
        small = np.asarray(Image.fromarray(rgba).convert("RGBa").resize((CELL, CELL), Image.Resampling.LANCZOS), np.float32)
        top, left = i // COLUMNS * CELL, i % COLUMNS * CELL
        cell = board[top : top + CELL, left : left + CELL]
        cell[:] = small[..., :3] + cell * (1 - small[..., 3:] / 255)
    rounded: NDArray[np.uint8] = np.clip(board + 0.5, 0, 255).astype(np.uint8)
    return rounded


def main() -> None:
    """Generate and write."""
    from ...engine import Engine

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="only each n-th prompt")
    options = parser.parse_args()
    engine = Engine("cpu")
    pictures = [
        result.rgba
        for prompt in prompts()[:: options.every]
        for result in engine.run(Request(prompt=prompt, seed=options.seed))
        if isinstance(result, Picture)
    ]
    Image.fromarray(sheet(pictures)).save(options.file, optimize=True)


if __name__ == "__main__":
    main()
