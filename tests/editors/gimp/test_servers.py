"""The window and its server in the real GIMP: the claims of `inside/servers.py`."""

from __future__ import annotations

import pytest

from .conftest import Gimp, claims


@pytest.mark.parametrize("claim", claims("servers"))
def test_on_a_screen(gimp: Gimp, claim: str) -> None:
    gimp.prove("servers", claim, fake=True, home=gimp.share / "elsewhere", on_screen=True)
