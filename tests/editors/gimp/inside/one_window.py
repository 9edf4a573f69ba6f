"""Claims about the one window: what it works on, its tasks, its pages and its keys, by real keys and clicks.

Runs beside GIMP, not in it: see `desk`.
"""

from __future__ import annotations

import re
from pathlib import Path

from desk import MENU, OUT, until, within
from screen import (
    DIALOG,
    OTHERS,
    in_dialog,
    jobs,
    names,
    open_dialog,
    open_image,
    saved,
    submit,
    the_desk,
    type_prompt,
)

REFINE, REPAINT, UPSCALE = "^Refine Layer$", "^Repaint Selection$", "^Upscale Layer$"
ASKED = OUT / "browser.txt"
"""What the browser of `test_one_window` was last asked for."""


def it_follows_the_person_to_another_image():
    with open_image() as first:
        second = _another_image()
        open_dialog()
        type_prompt("one")
        submit()
        until(lambda: len(names(second)) == 2, "a layer in the image that is shown")
        _turn_to(first)
        in_dialog("ctrl+Return")
        until(lambda: len(names(first)) == 2, "a layer in the image that was turned to")
        assert len(names(second)) == 2


def it_keeps_to_its_image_when_told():
    with open_image() as first:
        second = _another_image()
        open_dialog()
        in_dialog("alt+k")
        _turn_to(first)
        in_dialog("alt+p")
        type_prompt("kept")
        submit()
        until(lambda: len(names(second)) == 2, "a layer in the image that is kept to")
        assert names(first) == ["paper"]


def another_call_shows_its_task_in_the_window_that_is_open():
    with open_image():
        desk = the_desk()
        open_dialog()
        window = desk.window(DIALOG)
        type_prompt("typed before")
        desk.call(OTHERS[REFINE], lambda: desk.windows(REFINE))
        assert desk.window(REFINE) == window, "the same window, with another title"
        desk.rest()
        desk.shot("another-task")
        assert saved("acetate-refine-layer")["prompt"] == '"typed before"', "what is typed goes along to a form without a prompt"


def of_several_selected_layers_one_has_to_be_chosen():
    with open_image() as image:
        desk = the_desk()
        desk.ask(
            f"image = Gimp.Image.get_by_id({image}); paper = image.get_layers()[0]; other = paper.copy()\n"
            "other.set_name('other'); image.insert_layer(other, None, 0); image.set_selected_layers(image.get_layers())\n"
            "answer = 1"
        )
        desk.open(OTHERS[REFINE], REFINE)
        type_prompt("fox")
        submit()
        desk.rest(1.5)
        desk.shot("several-layers")
        assert not jobs("running") and len(names(image)) == 2, "nothing is asked for as long as nobody knows of which"
        desk.ask(f"image = Gimp.Image.get_by_id({image}); image.set_selected_layers(image.get_layers()[1:]); answer = 1")
        desk.rest(1.0)
        desk.focus(desk.window(REFINE))
        submit()
        until(lambda: len(names(image)) == 3, "the new version")
        kept = f"answer = editor.record(Gimp.Image.get_by_id({image}).get_layers()[1])['task']"
        assert names(image)[0] == "other" and desk.ask(kept) == "refine"


def without_a_selection_a_repaint_is_refused_before_anything_is_typed():
    with open_image() as image:
        desk = the_desk()
        desk.open(OTHERS[REPAINT], REPAINT)
        type_prompt("moss")
        desk.rest(1.0)
        desk.shot("nothing-selected")
        submit()
        desk.rest(1.0)
        assert not jobs("running") and names(image) == ["paper"]
        desk.ask(f"Gimp.Image.get_by_id({image}).select_rectangle(Gimp.ChannelOps.REPLACE, 40, 40, 96, 96); answer = 1")
        desk.rest(1.0)
        desk.focus(desk.window(REPAINT))
        submit()
        until(lambda: len(names(image)) == 2, "the repainted part")


def trying_again_is_about_the_same_layer_until_another_is_selected():
    with open_image() as image:
        desk = the_desk()
        desk.open(OTHERS[REFINE], REFINE)
        type_prompt("fox")
        for count in (2, 3):
            submit()
            until(lambda count=count: len(names(image)) == count, "another version")
            desk.rest(1.0)
        made_from = "[editor.record(layer)['made_from'] for layer in image.get_layers()[:2]]"
        found = desk.ask(f"image = Gimp.Image.get_by_id({image}); answer = [*{made_from}, image.get_layers()[2].get_tattoo()]")
        assert len(set(found)) == 1, found


def the_menu_begins_with_generate_layer():
    with open_image():
        desk = the_desk()
        desk.focus(desk.main)
        desk.slow_keys(*MENU, "Return")
        desk.window(DIALOG)


def a_right_click_on_a_layer_offers_the_same():
    with open_image():
        desk = the_desk()
        desk.click(desk.main, *_FIRST_LAYER, button=3)
        desk.rest(1.0)
        desk.slow_keys("Up", "Right")
        desk.rest()
        desk.shot("layers-menu")
        desk.slow_keys("Return")
        desk.window(DIALOG)


_FIRST_LAYER = (1180, 632)
"""Where the first row of the Layers dialog lies in GIMP's window."""


def f1_opens_the_manual_at_the_task():
    with open_image():
        ASKED.unlink(missing_ok=True)
        the_desk().open(OTHERS[UPSCALE], UPSCALE)
        the_desk().keys("F1")
        address = until(lambda: ASKED.exists() and ASKED.read_text(), "the browser to be called")
        assert address.strip().endswith("acetate-help/en/manual.html#acetate-upscale-layer"), address
        page = Path(re.sub(r"^file://|#.*$", "", address.strip()))
        assert 'id="acetate-upscale-layer"' in page.read_text()


def f1_on_an_entry_of_the_menu_opens_the_manual_there():
    with open_image():
        desk = the_desk()
        ASKED.unlink(missing_ok=True)
        desk.focus(desk.main)
        desk.slow_keys(*MENU, "Down", "F1")
        address = until(lambda: ASKED.exists() and ASKED.read_text(), "the browser to be called")
        desk.keys("Escape", "Escape", "Escape")
        assert address.strip().endswith("acetate-help/en/manual.html#acetate-generate-scene"), address


def the_windows_height_comes_back_when_a_message_goes():
    with open_image():
        desk = the_desk()
        open_dialog()
        desk.rest(1.0)
        before = desk.size(DIALOG)
        type_prompt(" ")
        submit()
        until(lambda: desk.size(DIALOG) != before, "room for the message")
        type_prompt("leaf")
        submit()
        until(lambda: desk.size(DIALOG) == before, "the height that it had")


# --- what the claims share -------------------------------------------------------------------------------------------


def _another_image() -> int:
    desk = the_desk()
    number = desk.ask(
        "image = Gimp.Image.new(200, 100, Gimp.ImageBaseType.RGB)\n"
        "layer = Gimp.Layer.new(image, 'paper', 200, 100, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)\n"
        "image.insert_layer(layer, None, 0); layer.fill(Gimp.FillType.WHITE)\n"
        "Gimp.Display.new(image); answer = image.get_id()"
    )
    desk.window(rf".-{number}\.0 .*GIMP")
    return number


def _turn_to(image: int) -> None:
    """By the keys that go round the open images."""
    desk = the_desk()
    for number in ("alt+1", "alt+2", "alt+3"):
        desk.focus(desk.main)
        desk.keys(number)
        if within(5.0, lambda: desk.windows(rf".-{image}\.0 .*GIMP")):
            desk.rest(1.0)  # until the window has looked again
            return
    raise AssertionError(f"image {image} is not shown")
