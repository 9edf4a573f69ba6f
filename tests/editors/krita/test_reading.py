"""The manual in the real Krita."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.editors
CLAIMS_OF = ("reading",)


@pytest.fixture(scope="module")
def outcome(computer, server):
    return computer.run(",".join(CLAIMS_OF), server=server)


def test_in_krita(outcome, claim):
    outcome.judge(claim)
