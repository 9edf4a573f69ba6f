"""The window on a screen of twice the density, in light colours; it leaves screenshots to look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import Gimp, claims, preferring

SCREEN = "1920x1080"


@pytest.fixture(scope="module", autouse=True)
def light(gimp: Gimp) -> Iterator[None]:
    with preferring(gimp, "(theme-color-scheme light)"):
        yield


@pytest.mark.parametrize("claim", claims("dense_screen"))
@pytest.mark.usefixtures("drawing_server")
def test_on_a_dense_screen(gimp: Gimp, claim: str) -> None:
    gimp.prove("dense_screen", claim, on_screen=SCREEN, GDK_SCALE="2")
