"""Claims about what lies in the server's library: LoRAs, embeddings and upscalers, chosen by real keys.

Runs beside GIMP, not in it: see `desk`. The server has the fake engine, which lists what the test puts there.
"""

from __future__ import annotations

from desk import until
from screen import (
    DIALOG,
    generate,
    in_dialog,
    names,
    newest_result,
    open_dialog,
    open_image,
    press_offer,
    saved,
    submit,
    the_desk,
    type_prompt,
)


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
        assert saved("acetate-generate-layer")["prompt"] == '"a fox <lora:ink wash:1>, embedding:bad-hands"'
        in_dialog("alt+p")
        type_prompt("embedding:ha")
        desk.rest(1.0)
        in_dialog("Escape")
        assert saved("acetate-generate-layer")["prompt"] == '"embedding:ha"', "Escape has closed the list, not the window"


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
        assert saved("acetate-generate-layer")["loras"] == '"ink wash:1"'
        in_dialog("alt+u", *["Tab"] * _FROM_GUIDANCE_TO_LORAS, "space", "Tab", "ctrl+a")
        desk.type("0.65")
        desk.keys("Tab")
        kept = saved("acetate-generate-layer")
        desk.shot("lora-list")
        assert kept["prompt"] == '"a fox, inkstyle, lineart"' and kept["loras"] == '"ink wash:0.65"', kept
        submit()
        until(lambda: len(names(image)) == 2, "the layer")
        assert [list(one) for one in newest_result().parameters["loras"]] == [["ink wash", 0.65]]


def an_enlarged_picture_is_drawn_anew_in_its_place_by_one_button():
    with open_image() as image:
        desk = the_desk()
        generate("a vase", image)
        desk.rest()
        desk.shot("enlarged")
        press_offer(DIALOG)
        until(lambda: len(names(image)) == 3, "the new version")
        both = f"new, old, _ = Gimp.Image.get_by_id({image}).get_layers()"
        boxes = "[[*editor.offsets(one), one.get_width(), one.get_height(), one.get_visible()] for one in (new, old)]"
        place = [0, 0, 320, 240]
        until(
            lambda: desk.ask(f"{both}; answer = {boxes}") == [[*place, True], [*place, False]], "the old one to be hidden", 20.0
        )
        made = newest_result()
        asked = made.parameters
        assert (made.task, asked["upscaler"], asked["prompt"]) == ("upscale", "sharper", "a vase"), asked


_FROM_GUIDANCE_TO_LORAS = 5
"""Presses of Tab from one field to the other: sampler, spacing, CLIP skip and *Fast* lie between them."""
