"""Krita started in another language, as the desktop or as Krita's own setting says it: the claims of `speaking.py`."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

pytestmark = pytest.mark.editors

LANGUAGES = Path(__file__).parents[3] / "plugins" / "languages"
WANTED = ("Generate", "Scene", "Acetate: Cancel All")
SPEAKING = [("the desktop", "de"), ("Krita's setting", "fr"), ("Krita's setting", "ar")]
"""Who says which language it is to be. Arabic is written from right to left, and nobody has translated us into it yet."""


def spoken(language):
    if language == "ar":
        return json.dumps({text: text for text in WANTED})
    with (LANGUAGES / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    found = {text: catalogue[text].string for text in WANTED}
    assert all(found.values()), found
    return json.dumps(found)


@pytest.mark.parametrize(("way", "language"), SPEAKING)
def test_docker_and_actions_speak_it(computer, way, language):
    environment = {"LANGUAGE": language if way == "the desktop" else "en", "SPOKEN": spoken(language)}
    environment["FROM_THE_RIGHT"] = "yes" if language == "ar" else ""
    setting = computer.home / ".config/klanguageoverridesrc"
    if way == "the desktop":
        setting.unlink(missing_ok=True)
    else:
        setting.write_text(f"[Language]\nkrita={language}\n")
    outcome = computer.run("speaking", env=environment)
    wrong = [f"{name}: {found['error']}" for name, found in outcome.results.items() if not found["ok"]]
    assert not wrong, "\n".join(wrong)
    if keep := os.environ.get("ACETATE_SCREENSHOTS"):
        shutil.copy(outcome.folder / "spoken.png", Path(keep) / f"{language}-spoken.png")
