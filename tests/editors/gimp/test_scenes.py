"""Scenes, objects and backgrounds in the real GIMP: the claims of `inside/scenes.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import Gimp, claims, serving


@pytest.fixture(scope="module")
def fake_server(gimp: Gimp) -> Iterator[None]:
    with serving(gimp, gimp.share / "scenes", engine="fake"):
        yield


@pytest.mark.parametrize("claim", claims("scenes"))
@pytest.mark.usefixtures("fake_server")
def test_in_gimp(gimp: Gimp, claim: str) -> None:
    gimp.prove("scenes", claim, home=gimp.share / "scenes")
