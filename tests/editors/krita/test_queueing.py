"""The real docker with several jobs at once, in the real Krita against a real server with the fake engine."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.editors
CLAIMS_OF = ("queueing",)


@pytest.fixture(scope="module")
def outcome(computer, server):
    return computer.run(",".join(CLAIMS_OF), server=server)


def test_in_krita(outcome, claim):
    outcome.judge(claim)
