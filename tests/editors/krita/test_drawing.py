"""The real docker in the real Krita against the real server with the built-in model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from acetate import document

pytestmark = pytest.mark.editors
CLAIMS_OF = ("generating", "working", "filing", "scenes")


@pytest.fixture(scope="module")
def outcome(computer, drawing_server):
    write_given(computer.share)
    write_layered(computer.share)
    return computer.run(",".join(CLAIMS_OF), server=drawing_server)


def test_in_krita(outcome, claim):
    outcome.judge(claim)


def write_given(folder: Path) -> None:
    """A small layered picture in every format, by the project's own writers."""

    def filled(width, height, *rgba):
        return np.tile(np.array(rgba, np.uint8), (height, width, 1))

    trunk = document.Layer(filled(10, 20, 90, 50, 20, 255), 30, 40, "trunk")
    leaves = document.Layer(filled(30, 20, 20, 200, 30, 255), 20, 20, "leaves", opacity=128 / 255, blend_mode="multiply")
    ground = document.Layer(filled(100, 80, 60, 120, 10, 255), 0, 0, "ground")
    drawn = document.Document(100, 80, (ground, document.Group("tree", (trunk, leaves))))
    for suffix in ("psd", "ora", "png"):
        document.write(drawn, folder / f"given.{suffix}")


def write_layered(folder: Path) -> None:
    """Groups, offsets, soft edges and names of all the world as PSD and ORA, and how we compose them."""
    random = np.random.default_rng(7)

    def noise(width, height):
        return random.integers(0, 256, (height, width, 4), np.uint8)

    ground = noise(64, 48)
    ground[..., 3] = 255
    fruit = (
        document.Layer(noise(30, 20), -7, 5, "Äpfel", opacity=128 / 255),
        document.Layer(noise(20, 20), 30, 40, "verborgen", visible=False),
    )
    light = document.Layer(noise(25, 30), 50, -9, "Schein", blend_mode="screen")
    drawn = document.Document(64, 48, (document.Layer(ground, 0, 0, "Grund"), document.Group("果実 🍷", fruit), light))
    for suffix in ("psd", "ora"):
        document.write(drawn, folder / f"layered.{suffix}")
    (folder / "layered.bgra").write_bytes(document.compose(drawn)[..., [2, 1, 0, 3]].tobytes())
