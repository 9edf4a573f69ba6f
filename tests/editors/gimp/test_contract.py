"""What the plug-in relies on in GIMP, in the real one; `tests/plugins/gimp` checks the same against the fake."""

from __future__ import annotations

import pytest

from .conftest import Gimp, claims


@pytest.mark.parametrize("claim", claims("contract"))
def test_in_gimp(gimp: Gimp, claim: str) -> None:
    gimp.prove("contract", claim)
