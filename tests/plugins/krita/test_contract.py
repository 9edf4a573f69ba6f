"""The claims that hold in the real Krita hold in the fake as well, so that what is tested with it says something."""

from __future__ import annotations

import sys

import pytest

from .conftest import EDITORS, HERE, loaded

loaded("pieces", EDITORS / "pieces.py")
loaded("stage", HERE / "fake_stage.py")
contract = loaded("krita_contract", EDITORS / "contract.py")
del sys.modules["stage"], sys.modules["pieces"]
CLAIMS = [one for one in vars(contract).values() if getattr(one, "is_claim", False)]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_in_the_fake(claim):
    for wanted in claim():
        assert not callable(wanted) or wanted()


def test_there_are_claims():
    assert len(CLAIMS) >= 16
