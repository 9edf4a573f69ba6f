"""The real docker in the real Krita against the real server. The claims are the scenario modules' functions."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from acetate import document

HERE = Path(__file__).parent
MODULES = ("generating", "working", "trouble", "speed")


def claims(module: str) -> list[str]:
    """The functions of a scenario module that are marked as claims."""
    body = ast.parse((HERE / f"{module}.py").read_text()).body
    return [
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(one, ast.Name) and one.id == "claim" for one in node.decorator_list)
    ]


pytestmark = pytest.mark.editors


@pytest.fixture(scope="module")
def outcome(computer, server):
    given_psd(computer.share / "given.psd")
    return computer.run(",".join(MODULES), server=server)


def given_psd(path: Path) -> None:
    """A small layered file, by the project's own writer."""

    def filled(width, height, *rgba):
        return np.tile(np.array(rgba, np.uint8), (height, width, 1))

    trunk = document.Layer(filled(10, 20, 90, 50, 20, 255), 30, 40, "trunk")
    leaves = document.Layer(filled(30, 20, 20, 200, 30, 255), 20, 20, "leaves", opacity=128 / 255, blend_mode="multiply")
    ground = document.Layer(filled(100, 80, 60, 120, 10, 255), 0, 0, "ground")
    document.write(document.Document(100, 80, (ground, document.Group("tree", (trunk, leaves)))), path)


@pytest.mark.parametrize("claim", [claim for module in MODULES for claim in claims(module)] + ["krita_ends_cleanly"])
def test_in_krita(outcome, claim):
    found = outcome.results.get(claim)
    assert found is not None, f"Krita did not get so far; its log is in {outcome.folder}"
    assert found["ok"], found["error"]
