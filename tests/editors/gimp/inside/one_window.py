"""Claims about the one window: what it works on, its tasks, its pages and its keys, by real keys and clicks.

Runs beside GIMP, not in it: see `desk`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from desk import MENU, OUT, until, within
from screen import (
    DIALOG,
    FORM,
    HISTORY,
    OTHERS,
    QUEUE,
    SLOW,
    generate,
    in_dialog,
    jobs,
    names,
    newest_result,
    open_dialog,
    open_image,
    submit,
    the_desk,
    type_prompt,
)

KEPT = Path(os.environ["GIMP3_DIRECTORY"], "plug-in-settings")
REFINE, REPAINT, UPSCALE = "^Refine Layer$", "^Repaint Selection$", "^Upscale Layer$"
GROWTH = 24.0
"""MB that forty layers more may cost the window: GTK and Python keep some of what they once had."""


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
        desk.focus(desk.main)
        desk.keys(OTHERS[REFINE].shortcut)
        assert desk.window(REFINE) == window, "the same window, with another title"
        desk.rest()
        desk.shot("another-task")
        assert _saved("acetate-refine-layer")["prompt"] == '"typed before"', "what is typed goes along to a form without a prompt"


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
        kept = _saved("acetate-generate-layer")
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
        kept = _saved("acetate-generate-scene")
        assert kept["foreground-prompt"] == '"a fox"' and kept["background-prompt"] == '"snow"', kept


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
        before = _saved("acetate-generate-layer")["seed"]
        type_prompt(" ")
        submit()
        the_desk().rest(1.0)
        the_desk().shot("refused")
        assert _saved("acetate-generate-layer")["seed"] == before != "0"


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


def of_several_candidates_the_first_comes_and_another_is_put_in_by_keys():
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        type_prompt("leaf")
        in_dialog("alt+n", "ctrl+a")
        desk.type("3")
        desk.keys("Tab")
        submit()
        until(lambda: len(names(image)) == 2, "the first candidate")
        until(lambda: not jobs("running"), "the run to end")
        desk.rest(1.0)
        desk.shot("candidates")
        desk.double_click(DIALOG, *_SECOND_CANDIDATE)
        until(lambda: len(names(image)) == 3, "the second candidate")
        seeds = "[editor.record(layer)['seed'] for layer in Gimp.Image.get_by_id({image}).get_layers()[:2]]"
        second, first = desk.ask(f"answer = {seeds.format(image=image)}")
        assert second == first + 1


_SECOND_CANDIDATE = (-190, 418)
"""Where the thumbnail lies, from the window's upper right corner."""


def the_history_fills_in_the_form_with_what_made_a_picture():
    with open_image() as image:
        desk = the_desk()
        generate("a yellow pear", image)
        type_prompt("something else")
        desk.keys("alt+2")
        window = desk.window(HISTORY)
        desk.rest(1.0)
        desk.shot("history-page")
        desk.press(window, "alt+u", lambda: bool(desk.windows(DIALOG)))
        submit()
        until(lambda: len(names(image)) == 3, "the same again")
        both = f"first, second, _ = Gimp.Image.get_by_id({image}).get_layers()"
        assert desk.ask(f"{both}; answer = editor.pixels(first) == editor.pixels(second)"), "the seed, too"


def several_jobs_run_and_wait_and_the_queue_stops_them_all():
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        type_prompt(SLOW + "a glass bottle")
        in_dialog("alt+d", "alt+o", "ctrl+a")
        desk.type("500")
        desk.keys("Tab")
        submit()
        submit()
        until(lambda: jobs("running") and jobs("waiting"), "one to run and one to wait")
        in_dialog("alt+3")
        window = desk.window(QUEUE)
        desk.rest(1.5)
        desk.shot("queue")
        desk.press(window, "alt+a", lambda: not jobs("running") and not jobs("waiting"))
        assert names(image) == ["paper"]
        desk.keys("alt+1")
        desk.window(DIALOG)


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
        asked = OUT / "browser.txt"
        asked.unlink(missing_ok=True)
        the_desk().open(OTHERS[UPSCALE], UPSCALE)
        the_desk().keys("F1")
        until(asked.exists, "the browser to be called")
        address = until(lambda: asked.read_text(), "an address")
        assert address.strip().endswith("acetate-help/en/manual.html#acetate-upscale-layer"), address
        page = Path(re.sub(r"^file://|#.*$", "", address.strip()))
        assert 'id="acetate-upscale-layer"' in page.read_text()


def fifty_layers_in_one_window_do_not_make_it_grow():
    with open_image() as image:
        open_dialog()
        type_prompt("leaf")
        after: dict[int, float] = {}
        for count in range(1, 51):
            submit()
            until(lambda count=count: len(names(image)) == count + 1, f"layer {count}")
            if count in (10, 50):
                after[count] = _memory_of_plug_in()
        print(f"plug-in after 10 and 50 layers: {after} MB", flush=True)
        assert after[50] - after[10] <= GROWTH, after


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


def a_candidate_that_was_thrown_away_comes_back_by_undo():
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        type_prompt("leaf")
        in_dialog("alt+n", "ctrl+a")
        desk.type("3")
        desk.keys("Tab")
        submit()
        until(lambda: len(names(image)) == 2, "the first candidate")
        until(lambda: not jobs("running"), "the run to end")
        desk.rest(1.0)
        width, _height = desk.size(DIALOG)
        desk.click(desk.window(DIALOG), width + _SECOND_CANDIDATE[0], _SECOND_CANDIDATE[1])
        window, before = desk.window(DIALOG), desk.size(DIALOG)
        desk.press(window, "Delete", lambda: desk.size(DIALOG) != before)  # room for the words, and for Undo
        desk.shot("thrown-away")
        assert _pictures_in_history() == 3, "nothing is deleted before it is clear that it is meant"
        desk.press(window, "ctrl+z", lambda: desk.size(DIALOG) == before)
        desk.shot("taken-back")
        desk.double_click(DIALOG, *_SECOND_CANDIDATE)
        until(lambda: len(names(image)) == 3, "the candidate that was taken back")
        desk.rest(1.0)
        before = desk.size(DIALOG)
        desk.press(window, "Delete", lambda: desk.size(DIALOG) != before)
        desk.dismiss(DIALOG)
        until(lambda: _pictures_in_history() == 2, "closing the window to delete what was thrown away")


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


def _saved(procedure: str) -> dict[str, str]:
    """The form's values, by the button that saves them."""
    desk = the_desk()
    kept = KEPT / f"GimpProcedureConfigRun-{procedure}.default"
    kept.unlink(missing_ok=True)
    desk.press(desk.window(FORM), "alt+s", kept.exists)
    return dict(re.findall(r"^\(([a-z-]+) (.*)\)$", kept.read_text(), re.MULTILINE))


def _pictures_in_history() -> int:
    """Of the newest job."""
    return len({layer.picture for layer in newest_result().layers})


def _memory_of_plug_in() -> float:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if b"acetate-gimp.py" in (entry / "cmdline").read_bytes():
                    return int(re.search(r"VmRSS:\s+(\d+)", (entry / "status").read_text())[1]) / 1024
            except OSError:
                pass
    raise AssertionError("the plug-in does not run")
