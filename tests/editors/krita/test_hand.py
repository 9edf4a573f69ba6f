"""The artist's own mouse and keys in the real Krita: results come at his moment, where and as what he wants them."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.editors
CLAIMS_OF = ("gestures", "moments", "places", "versions")


@pytest.fixture(scope="module")
def outcome(computer, server):
    return computer.run(",".join(CLAIMS_OF), server=server)


def test_in_krita(outcome, claim):
    outcome.judge(claim)
