"""What goes wrong in the real GIMP: the claims of `inside/faults.py`. They bring their own servers and must not meet another."""

from __future__ import annotations

import pytest

from .conftest import Gimp, claims


@pytest.mark.parametrize("claim", claims("faults"))
def test_in_gimp(gimp: Gimp, claim: str) -> None:
    gimp.prove("faults", claim, fake=True, home=gimp.share / "alone")
