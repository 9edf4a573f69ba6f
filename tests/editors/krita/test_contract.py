"""The claims of `contract.py` in the real Krita."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

CONTRACT = Path(__file__).with_name("contract.py")
CLAIMS = [
    node.name
    for node in ast.parse(CONTRACT.read_text()).body
    if isinstance(node, ast.FunctionDef) and any(isinstance(one, ast.Name) and one.id == "claim" for one in node.decorator_list)
]

pytestmark = pytest.mark.editors


@pytest.fixture(scope="module")
def outcome(computer):
    return computer.run("contract")


@pytest.mark.parametrize("claim", [*CLAIMS, "krita_ends_cleanly"])
def test_in_krita(outcome, claim):
    found = outcome.results.get(claim)
    assert found is not None, f"Krita did not get so far; its log is in {outcome.folder}"
    assert found["ok"], found["error"]
