"""Claims about the window on a screen of twice the density (GDK_SCALE is 2): it fits, and its pictures are sharp."""

from __future__ import annotations

import subprocess

from desk import PATIENCE, until
from screen import DIALOG, HISTORY, names, open_dialog, open_image, submit, the_desk, type_prompt

SCREEN = (1920, 1080)
"""What `test_dense_screen` gives; 960 × 540 in the units of widgets."""
BELOW_TITLE = 30
"""Pixels of a window's title bar."""
PREVIEW = (300, 300)
"""A part of the preview's middle, in pixels: width and height."""


def the_form_and_the_history_fit_the_screen():
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        type_prompt("leaf")
        submit()
        until(lambda: len(names(image)) == 2, "a layer")
        desk.rest(1.0)
        desk.shot("dense-form")
        _fits(DIALOG)
        desk.keys("alt+d")
        desk.rest(1.0)
        desk.shot("dense-details")
        _fits(DIALOG)
        desk.keys("alt+2")
        desk.window(HISTORY)
        desk.rest(1.0)
        desk.shot("dense-history")
        _fits(HISTORY)


def the_preview_uses_every_pixel():
    """A picture that is only doubled consists of blocks of two by two equal pixels."""
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        type_prompt("leaf")
        submit()
        until(lambda: len(names(image)) == 2, "a layer")
        desk.rest(1.0)
        width, _ = desk.size(DIALOG)
        across, down = width - 60 - PREVIEW[0], 340
        rows = _pixels(desk.window(DIALOG), across, down)
        blocks = [rows[y][x : x + 2] + rows[y + 1][x : x + 2] for y in range(0, PREVIEW[1], 2) for x in range(0, PREVIEW[0], 2)]
        broken = sum(len(set(block)) > 1 for block in blocks)
        assert broken > len(blocks) // 50, f"{broken} of {len(blocks)} blocks have more than one colour"


def _fits(title: str) -> None:
    width, height = the_desk().size(title)
    assert width <= SCREEN[0] and height + BELOW_TITLE <= SCREEN[1], (width, height)


def _pixels(window: str, x: int, y: int) -> list[list[bytes]]:
    crop = f"{PREVIEW[0]}x{PREVIEW[1]}+{x}+{y}"
    command = ["import", "-window", window, "-crop", crop, "-depth", "8", "rgb:-"]
    data = subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE).stdout
    assert len(data) == 3 * PREVIEW[0] * PREVIEW[1], len(data)
    pixels = [data[at : at + 3] for at in range(0, len(data), 3)]
    return [pixels[row : row + PREVIEW[0]] for row in range(0, len(pixels), PREVIEW[0])]
