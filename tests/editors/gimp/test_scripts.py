"""What scripts rely on in the real GIMP: the claims of `inside/scripts.py`."""

from __future__ import annotations

import pytest

from .conftest import Gimp, claims


@pytest.mark.parametrize("claim", claims("scripts"))
@pytest.mark.usefixtures("server")
def test_in_gimp(gimp: Gimp, claim: str) -> None:
    gimp.prove("scripts", claim)
