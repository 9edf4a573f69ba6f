"""The docker's form in the real Krita against a server whose library has LoRAs, embeddings and no networks."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.editors
CLAIMS_OF = ("filling",)
LORAS = (
    {"name": "clay", "family": None, "what": "a LoRA for SD 1.5 or SDXL"},
    {"name": "ink wash", "family": "fake", "what": "a LoRA for Fake", "triggers": ["inkstyle", "lineart"], "preview": True},
    {"name": "elsewhere", "family": "sdxl", "what": "a LoRA for SDXL"},
)
EMBEDDINGS = ({"name": "bad-hands", "family": "fake"},)


@pytest.fixture(scope="module")
def outcome(computer, server):
    outcome = computer.run(",".join(CLAIMS_OF), server=server)
    if keep := os.environ.get("ACETATE_SCREENSHOTS"):
        Path(keep).mkdir(parents=True, exist_ok=True)
        for picture in outcome.folder.glob("*.png"):
            shutil.copy(picture, Path(keep) / f"form-{picture.name}")
    return outcome


@pytest.fixture(scope="module", autouse=True)
def library(computer):
    """What the fake engine lists; it lies there before the server starts."""
    for kind, rows in (("loras", LORAS), ("embeddings", EMBEDDINGS)):
        folder = computer.share / "acetate" / kind
        folder.mkdir(parents=True)
        for row in rows:
            (folder / f"{row['name']}.json").write_text(json.dumps(row))
            if "preview" in row:
                Image.new("RGB", (200, 200), "purple").save(folder / f"{row['name']}.png")


def test_in_krita(outcome, claim):
    outcome.judge(claim)


def test_what_was_typed_last_is_in_kritas_settings(outcome, computer):
    assert "typed at the end" in (computer.home / ".config/kritarc").read_text()
