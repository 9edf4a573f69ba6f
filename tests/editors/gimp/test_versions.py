"""New versions of layers in the real GIMP: the claims of `inside/versions.py`."""

from __future__ import annotations

import pytest

from .conftest import Gimp, claims


@pytest.mark.parametrize("claim", claims("versions"))
@pytest.mark.usefixtures("drawing_server")
def test_in_gimp(gimp: Gimp, claim: str) -> None:
    gimp.prove("versions", claim)
