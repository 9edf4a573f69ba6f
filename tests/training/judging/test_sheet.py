"""The contact sheet, without the model."""

from __future__ import annotations

import numpy as np

from training.judging.sheet import CAPTION, CELL, COLUMNS, prompts, sheet


def test_every_cell_has_its_words_below() -> None:
    clear = np.zeros((128, 128, 4), np.uint8)
    page = np.asarray(sheet([(prompt, clear) for prompt in prompts()]).convert("L"))
    for i in range(len(prompts())):
        left, top = i % COLUMNS * CELL, i // COLUMNS * (CELL + CAPTION) + CELL
        caption = page[top : top + CAPTION, left : left + CELL]
        assert caption.min() < 100, prompts()[i]
        assert caption[:, [0, -1]].min() == 255, f"{prompts()[i]!r} is wider than its cell"
