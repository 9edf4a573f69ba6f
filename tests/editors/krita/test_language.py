"""Krita started in German, as the desktop or as Krita's own setting says it: the claims of `speaking.py`."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

pytestmark = pytest.mark.editors

GERMAN = Path(__file__).parents[3] / "plugins" / "languages" / "de.po"
WANTED = ("Generate", "Scene", "Acetate: Cancel All")


def spoken():
    with GERMAN.open("rb") as file:
        catalogue = read_po(file, locale="de")
    found = {text: catalogue[text].string for text in WANTED}
    assert all(found.values()), found
    return json.dumps(found)


@pytest.mark.parametrize("way", ["the desktop", "Krita's setting"])
def test_docker_and_actions_are_german(computer, way):
    environment = {"LANGUAGE": "de" if way == "the desktop" else "fr", "SPOKEN": spoken()}
    setting = computer.home / ".config/klanguageoverridesrc"
    if way == "the desktop":
        setting.unlink(missing_ok=True)
    else:
        setting.write_text("[Language]\nkrita=de\n")
    outcome = computer.run("speaking", env=environment)
    wrong = [f"{name}: {found['error']}" for name, found in outcome.results.items() if not found["ok"]]
    assert not wrong, "\n".join(wrong)
    if keep := os.environ.get("ACETATE_SCREENSHOTS"):
        for name in ("spoken", "right-to-left"):
            shutil.copy(outcome.folder / f"{name}.png", Path(keep) / f"{way.partition(' ')[0].lower()}-{name}.png")
