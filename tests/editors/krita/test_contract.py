"""The plug-in as Krita meets it, in the real one: what it relies on there, its zip and its manual.

`tests/plugins/krita` checks the contract against the fake.
"""

from __future__ import annotations

import pytest
from acetate.plugins.hosts import KRITA
from acetate.plugins.install import zip_plugin

pytestmark = pytest.mark.editors
CLAIMS_OF = ("contract", "importing", "reading")


@pytest.fixture(scope="module")
def outcome(computer):
    zip_plugin(KRITA, computer.share)
    return computer.run(",".join(CLAIMS_OF))


def test_in_krita(outcome, claim):
    outcome.judge(claim)
