"""What goes wrong around our window in the real GIMP: the claims of `inside/window_faults.py`."""

from __future__ import annotations

import pytest

from .conftest import Gimp, claims


@pytest.mark.parametrize("claim", claims("window_faults"))
@pytest.mark.usefixtures("server")
def test_on_a_screen(gimp: Gimp, claim: str) -> None:
    gimp.prove("window_faults", claim, on_screen=True)
