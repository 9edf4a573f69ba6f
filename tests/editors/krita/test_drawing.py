"""The real docker in the real Krita against the real server with the built-in model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from acetate import document

pytestmark = pytest.mark.editors
CLAIMS_OF = ("generating", "working", "scenes")


@pytest.fixture(scope="module")
def outcome(computer, drawing_server):
    given_psd(computer.share / "given.psd")
    return computer.run(",".join(CLAIMS_OF), server=drawing_server)


def test_in_krita(outcome, claim):
    outcome.judge(claim)


def given_psd(path: Path) -> None:
    """A small layered file, by the project's own writer."""

    def filled(width, height, *rgba):
        return np.tile(np.array(rgba, np.uint8), (height, width, 1))

    trunk = document.Layer(filled(10, 20, 90, 50, 20, 255), 30, 40, "trunk")
    leaves = document.Layer(filled(30, 20, 20, 200, 30, 255), 20, 20, "leaves", opacity=128 / 255, blend_mode="multiply")
    ground = document.Layer(filled(100, 80, 60, 120, 10, 255), 0, 0, "ground")
    document.write(document.Document(100, 80, (ground, document.Group("tree", (trunk, leaves)))), path)
