"""Layers out of files in the real GIMP: the claims of `inside/opened_files.py`."""

from __future__ import annotations

import pytest

from .conftest import Gimp, claims


@pytest.mark.parametrize("claim", claims("opened_files"))
@pytest.mark.usefixtures("server")
def test_in_gimp(gimp: Gimp, claim: str) -> None:
    gimp.prove("opened_files", claim, fake=True)
