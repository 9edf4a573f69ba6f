"""GIMP in German, as the desktop or as GIMP's own setting says it: procedures in menu and Procedure Browser, and the window."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from .conftest import Gimp, claims, preferring

GERMAN = Path(__file__).parents[3] / "plugins" / "languages" / "de.po"
DESCRIBED = """
import json
found = Gimp.get_pdb().lookup_procedure('acetate-generate-layer')
prompt = next(one for one in found.get_arguments() if one.get_name() == 'prompt')
print('described', json.dumps([found.get_menu_label(), found.get_blurb(), prompt.get_blurb()]))
"""
TEXTS = ("_Generate Layer...", "Generate a layer with real transparency from a prompt", "What to draw, in words")


def german(*texts: str) -> list[str]:
    with GERMAN.open("rb") as file:
        catalogue = read_po(file, locale="de")
    found = [str(message.string) for text in texts if (message := catalogue.get(text)) is not None]
    assert len(found) == len(texts) and all(found)
    return found


def described(gimp: Gimp, language: str) -> list[str]:
    """What a GIMP without a window tells of a procedure of ours."""
    log = gimp.out / "described.log"
    console = ["gimp-console-3", "-n", "-i", "-d", "-f", "--batch-interpreter=python-fu-eval", "-b", DESCRIBED, "--quit"]
    assert gimp.run(console, log, LANGUAGE=language) == 0, log.read_text(errors="replace")
    line = next(line for line in log.read_text(errors="replace").splitlines() if line.startswith("described "))
    found: list[str] = json.loads(line.removeprefix("described "))
    return found


def test_procedures_are_described_in_the_language_that_gimp_is_started_in(gimp: Gimp) -> None:
    assert described(gimp, "") == list(TEXTS)
    assert described(gimp, "de_AT:de") == german(*TEXTS), "though GIMP remembers what it was told in English"
    assert described(gimp, "") == list(TEXTS)
    with preferring(gimp, '(language "de")'):
        assert described(gimp, "fr") == german(*TEXTS)


@pytest.mark.parametrize("claim", claims("speaking"))
@pytest.mark.usefixtures("drawing_server")
def test_on_a_screen(gimp: Gimp, claim: str) -> None:
    (label,) = german("_Generate Layer...")
    gimp.prove("speaking", claim, on_screen=True, LANGUAGE="de", LABEL=label)
