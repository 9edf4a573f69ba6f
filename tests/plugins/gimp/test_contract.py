"""The claims that hold in the real GIMP hold in the fake as well, so that what is tested with it says something."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import types
from pathlib import Path

import pytest

INSIDE = Path(__file__).parents[2] / "editors" / "gimp" / "inside"


def loaded(name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, INSIDE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


loaded("pictures")
contract = loaded("contract")
del sys.modules["pictures"], sys.modules["contract"]
CLAIMS = [
    one
    for name, one in vars(contract).items()
    if inspect.isfunction(one) and one.__module__ == "contract" and not name.startswith("_")
]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_in_the_fake(claim):
    claim()


def test_there_are_claims():
    assert len(CLAIMS) >= 16
