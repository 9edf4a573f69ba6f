"""Claims about the form in the one window: its letters, its fields, and what is kept of what is typed, by real keys.

Runs beside GIMP, not in it: see `desk`.
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
    saved,
    submit,
    the_desk,
    type_prompt,
)

STYLE = "^Keep as Style$"


def every_mnemonic_leads_to_its_field():
    """Each letter is pressed from the prompt, and what is typed then stands in that field and nowhere else."""
    with open_image():
        desk = the_desk()
        open_dialog()
        type_prompt("letters")
        desk.keys("alt+d")  # Details
        typed = {"alt+n": "7", "alt+e": "4321", "alt+v": "fog", "alt+o": "9", "alt+u": "2.5"}
        for keys, text in typed.items():
            in_dialog("alt+p", keys, "ctrl+a")
            desk.type(text)
            desk.keys("Tab")
        in_dialog("alt+p", "alt+w")  # a switch: its letter works it
        in_dialog("alt+p", "alt+z", "Down", "Down", "Down")
        kept = saved("acetate-generate-layer")
        desk.rest()
        desk.shot("details")
        wanted = {
            "prompt": '"letters"',
            "count": "7",
            "seed": "4321",
            "negative-prompt": '"fog"',
            "steps": "9",
            "guidance": "2.5",
        }
        assert {name: kept[name] for name in wanted} == wanted
        assert kept["new-seed"] == "no" and kept["area"] == '"custom"'
        in_dialog("alt+p", "alt+t", "Down")
        desk.window("^Generate Scene$")
        for keys, text in {"alt+f": "a fox", "alt+b": "snow"}.items():
            in_dialog(keys, "ctrl+a")
            desk.type(text)
        kept = saved("acetate-generate-scene")
        assert kept["foreground-prompt"] == '"a fox"' and kept["background-prompt"] == '"snow"', kept


def ctrl_and_an_arrow_weigh_the_word_at_the_cursor():
    with open_image():
        open_dialog()
        type_prompt("a red fox")
        in_dialog("ctrl+Up", "ctrl+Up", "ctrl+Up", "ctrl+Down")
        assert saved("acetate-generate-layer")["prompt"] == '"a red (fox:1.2)"'


def a_style_puts_its_words_round_the_prompt_until_it_is_removed():
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        type_prompt("a fox")
        in_dialog("alt+y", "Tab", "space")  # the button beside the list
        desk.focus(desk.window(STYLE))
        desk.type("ink")
        desk.keys("alt+w", "ctrl+a")
        desk.type("an ink drawing of {prompt}, wet")
        desk.keys("Return")
        desk.gone(STYLE)
        submit()
        until(lambda: len(names(image)) == 2, "a layer")
        assert newest_result().parameters["prompt"] == "an ink drawing of a fox, wet"
        in_dialog("alt+y", "Tab", "Tab", "space")
        submit()
        until(lambda: len(names(image)) == 3, "another layer")
        assert newest_result().parameters["prompt"] == "a fox"


def an_own_size_begins_with_the_size_of_the_image():
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        in_dialog("alt+z", "Down", "Down", "Down", "alt+p")
        type_prompt("a stone")
        submit()
        until(lambda: len(names(image)) == 2, "a layer")
        size = "answer = [layer.get_width(), layer.get_height()]"
        assert desk.ask(f"layer = Gimp.Image.get_by_id({image}).get_layers()[0]; {size}") == [320, 240]


def a_refused_run_keeps_the_seed():
    with open_image() as image:
        generate("a fox", image)
        before = saved("acetate-generate-layer")["seed"]
        type_prompt(" ")
        submit()
        the_desk().rest(1.0)
        the_desk().shot("refused")
        assert saved("acetate-generate-layer")["seed"] == before != "0"


def what_was_typed_comes_back_after_stop_and_close():
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        type_prompt("a fox that was never drawn")
        desk.dismiss(DIALOG)
        open_dialog()
        submit()
        until(lambda: len(names(image)) == 2, "a layer")
        assert names(image)[0].startswith("a fox that was never drawn")
