"""LoRAs, embeddings and upscalers in the window of the real GIMP: the claims of `inside/library.py`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from .conftest import Gimp, claims, serving

LIBRARY = {
    "loras": (
        {"name": "clay", "family": None, "what": "a LoRA for SD 1.5 or SDXL"},
        {"name": "ink wash", "family": "fake", "what": "a LoRA for Fake", "triggers": ["inkstyle", "lineart"], "preview": True},
        {"name": "elsewhere", "family": "sdxl", "what": "a LoRA for SDXL"},
    ),
    "embeddings": ({"name": "bad-hands", "family": "fake"},),
    "upscalers": ({"name": "sharper"},),
}
"""What the fake engine lists, by kind."""


@pytest.fixture(scope="module", autouse=True)
def library(gimp: Gimp) -> Iterator[None]:
    """It lies there before the server starts."""
    home = gimp.share / "library"
    for kind, rows in LIBRARY.items():
        (home / kind).mkdir(parents=True)
        for row in rows:
            (home / kind / f"{row['name']}.json").write_text(json.dumps(row))
    with serving(home, "fake"):
        yield


@pytest.mark.parametrize("claim", claims("library"))
def test_on_a_screen(gimp: Gimp, claim: str) -> None:
    gimp.prove("library", claim, fake=True, home=gimp.share / "library", on_screen=True)
