"""Claims about what lies in the server's library: LoRAs and embeddings, chosen by real keys.

Runs beside GIMP, not in it: see `desk`. The server has the fake engine, which lists what the test puts there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from desk import until
from screen import FORM, in_dialog, names, newest_result, open_dialog, open_image, submit, the_desk, type_prompt

KEPT = Path(os.environ["GIMP3_DIRECTORY"], "plug-in-settings", "GimpProcedureConfigRun-acetate-generate-layer.default")


def names_of_loras_and_embeddings_are_completed_in_the_prompt():
    with open_image():
        desk = the_desk()
        open_dialog()
        type_prompt("a fox <lora:in")
        desk.rest(1.0)
        desk.shot("completion")
        desk.keys("Return")
        desk.type(", embedding:ha")
        desk.rest(1.0)
        desk.keys("Tab")
        assert _saved()["prompt"] == '"a fox <lora:ink wash:1>, embedding:bad-hands"'
        in_dialog("alt+p")
        type_prompt("embedding:ha")
        desk.rest(1.0)
        in_dialog("Escape")
        assert _saved()["prompt"] == '"embedding:ha"', "Escape has closed the list, not the window"


def a_lora_is_found_by_a_trigger_word_weighed_and_its_words_are_added():
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        type_prompt("a fox")
        in_dialog("alt+d", "alt+u", *["Tab"] * _FROM_GUIDANCE_TO_LORAS, "space")
        desk.rest(1.5)
        desk.shot("lora-picker")
        desk.type("lineart")
        desk.rest()
        desk.keys("Return")
        desk.rest(1.0)
        assert _saved()["loras"] == '"ink wash:1"'
        in_dialog("alt+u", *["Tab"] * _FROM_GUIDANCE_TO_LORAS, "space", "Tab", "ctrl+a")
        desk.type("0.65")
        desk.keys("Tab")
        kept = _saved()
        desk.shot("lora-list")
        assert kept["prompt"] == '"a fox, inkstyle, lineart"' and kept["loras"] == '"ink wash:0.65"', kept
        submit()
        until(lambda: len(names(image)) == 2, "the layer")
        assert [list(one) for one in newest_result().parameters["loras"]] == [["ink wash", 0.65]]


_FROM_GUIDANCE_TO_LORAS = 5
"""Presses of Tab from one field to the other: sampler, spacing, CLIP skip and *Fast* lie between them."""


def _saved() -> dict[str, str]:
    """The form's values, by the button that saves them."""
    KEPT.unlink(missing_ok=True)
    the_desk().press(the_desk().window(FORM), "alt+s", KEPT.exists)
    return dict(re.findall(r"^\(([a-z-]+) (.*)\)$", KEPT.read_text(), re.MULTILINE))
