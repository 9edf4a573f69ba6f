"""Candidates, history, keys, drag and drop in the real Krita, against the server with the fake engine."""

from __future__ import annotations

import numpy as np
import pytest
from acetate import document

pytestmark = pytest.mark.editors
CLAIMS_OF = ("choosing", "keyboard")


@pytest.fixture(scope="module")
def outcome(computer, server):
    green = np.full((30, 20, 4), (20, 200, 30, 255), np.uint8)
    layers = (document.Layer(green, 0, 0, "ground"), document.Layer(green, 9, 9, "leaf"))
    for suffix in ("psd", "ora", "png"):
        document.write(document.Document(60, 50, layers), computer.share / f"dropped.{suffix}")
    return computer.run(",".join(CLAIMS_OF), server=server)


def test_in_krita(outcome, claim):
    outcome.judge(claim)
