"""What the plug-in relies on in Krita, in the real one; `tests/plugins/krita` checks the same against the fake."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.editors
CLAIMS_OF = ("contract",)


@pytest.fixture(scope="module")
def outcome(computer):
    return computer.run("contract")


def test_in_krita(outcome, claim):
    outcome.judge(claim)
