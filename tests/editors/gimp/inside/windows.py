"""Claims about what a person sees and does: the menu, the dialog, undo, GIMP's own progress and Cancel.

Runs beside GIMP, not in it: see `desk`. All claims share one GIMP; each opens an image of its own.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
from pathlib import Path

from acetate.protocol import Client, Jobs
from desk import OUT, PATIENCE, Command, Desk, until

DIALOG, HISTORY, QUESTION = "^Generate Layer$", "^Acetate History$", "^Acetate$"
FILE, SAVE, CHOOSER = "^Insert Layers from File$", "^Save Result$", "^Select a File$"
OTHERS = {
    "^Generate Scene$": Command("ctrl+shift+F5", "s"),
    "^Object on This Background$": Command("ctrl+shift+F6", "o"),
    "^Background for This Layer$": Command("ctrl+shift+F7", "b"),
    "^Refine Layer$": Command("ctrl+shift+F8", "r"),
    "^Repaint Selection$": Command("ctrl+shift+F9", "p"),
    "^Upscale Layer$": Command("ctrl+shift+F11", "u"),
}
"""The generating dialogs beside the first, by their titles."""
DIALOGS = (CHOOSER, SAVE, DIALOG, *OTHERS, HISTORY, QUESTION, FILE)
GENERATE, REPEAT = Command("ctrl+F5", "g"), Command("ctrl+F8", "n")
SHOW_HISTORY, INSERT_FILE = Command("ctrl+F6", "h"), Command("ctrl+F7", "i")
SLOW = "@sleep:0.2 " if os.environ["ENGINE"] == "fake" else ""
"""Makes the fake engine take its time; a real one does by itself."""


@functools.cache
def _desk() -> Desk:
    desk = Desk()
    atexit.register(desk.close)
    return desk


@contextlib.contextmanager
def _image(kind: str = "rgb"):
    """A white image in a window of its own; afterwards dialogs and images are gone."""
    desk = _desk()
    conversion = "image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.WEB, 0, False, False, '')"
    number = desk.ask(
        "image = Gimp.Image.new(320, 240, Gimp.ImageBaseType.RGB)\n"
        "layer = Gimp.Layer.new(image, 'paper', 320, 240, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)\n"
        "image.insert_layer(layer, None, 0); layer.fill(Gimp.FillType.WHITE)\n"
        f"{conversion if kind == 'indexed' else ''}\n"
        "image.undo_disable(); image.undo_enable(); image.clean_all()\n"
        "Gimp.Display.new(image); answer = image.get_id()"
    )
    desk.window(r"\[Untitled\].*GIMP")
    try:
        yield number
    except BaseException:
        desk.shot("failed")
        raise
    finally:
        for title in DIALOGS:
            desk.dismiss(title)
        _close_images()


def _close_images() -> None:
    _desk().ask("editor.close_images(); answer = 1")
    until(lambda: not _desk().ask("answer = len(Gimp.get_images())"), "the images to close")


def _names(image: int) -> list[str]:
    return _desk().ask(f"answer = editor.names(Gimp.Image.get_by_id({image}).get_layers())")


def _open_dialog() -> None:
    _desk().move_beside(_desk().open(GENERATE, DIALOG))


def _type_prompt(prompt: str) -> None:
    """Into the open dialog, whose prompt has the focus while nothing is drawn, instead of what is there."""
    _in_dialog("ctrl+a")
    _desk().type(prompt)


def _submit() -> None:
    _in_dialog("ctrl+Return")


def _in_dialog(*keys: str) -> None:
    _desk().focus(_desk().window(DIALOG))
    _desk().keys(*keys)


def _in_gimp(*keys: str) -> None:
    """In GIMP's own window, when the call before has come to its end."""
    _desk().wait_for_plug_in()
    _desk().focus(_desk().main)
    _desk().keys(*keys)


def _generate(prompt: str, image: int) -> str:
    """Open the dialog, type, press Ctrl+Return, wait for the layer; return its name."""
    _open_dialog()
    _type_prompt(prompt)
    before = len(_names(image))
    _submit()
    return until(lambda: (found := _names(image)) and len(found) > before and found[0], "a new layer")


def _jobs(state: str) -> list[str]:
    with Client("check") as client:
        client.jobs()
        while not isinstance(event := client.events.get(timeout=PATIENCE), Jobs):
            pass
        return [line.job for line in event.jobs if line.state == state]


def the_filters_menu_shows_acetate_and_opens_the_dialog():
    with _image():
        desk = _desk()
        desk.choose(GENERATE, picture="menu")
        desk.window(DIALOG)


def a_prompt_typed_into_the_dialog_becomes_a_layer_with_the_bytes_sent():
    with _image() as image:
        desk = _desk()
        _open_dialog()
        desk.rest()
        desk.shot("idle")
        _type_prompt("a red apple")
        _submit()
        until(lambda: len(_names(image)) == 2, "a new layer")
        desk.rest()
        desk.shot("inserted")
        same = desk.ask(
            f"layer = Gimp.Image.get_by_id({image}).get_layers()[0]\n"
            "(ready,) = editor.sent(editor.record(layer)['job'])\n"
            "answer = editor.pixels(layer) == editor.in_box(ready)"
        )
        assert same and _names(image)[0].startswith("a red apple (")


def one_undo_takes_the_layer_away_and_one_redo_brings_it_back_to_the_byte():
    with _image() as image:
        desk = _desk()
        name = _generate("a red apple", image)
        desk.dismiss(DIALOG)
        digest = (
            f"import hashlib; answer = hashlib.sha256(editor.pixels(Gimp.Image.get_by_id({image}).get_layers()[0])).hexdigest()"
        )
        before = desk.ask(digest)
        _in_gimp("ctrl+z")
        until(lambda: _names(image) == ["paper"], "undo to take the layer away")
        assert not desk.ask(f"answer = Gimp.Image.get_by_id({image}).is_dirty()"), "one step was everything"
        _in_gimp("ctrl+y")
        until(lambda: _names(image) == [name, "paper"], "redo to bring it back")
        assert desk.ask(digest) == before
        assert desk.ask(f"answer = editor.record(Gimp.Image.get_by_id({image}).get_layers()[0])['task']") == "foreground"


def one_undo_takes_a_group_of_candidates_away():
    with _image() as image:
        desk = _desk()
        desk.ask(
            f"image = Gimp.Image.get_by_id({image})\n"
            "editor.call('acetate-generate-layer', image, image.get_layers(), prompt='leaf', count=3).required(); answer = 1"
        )
        assert len(_names(image)) == 2
        _in_gimp("ctrl+z")
        until(lambda: _names(image) == ["paper"], "undo")
        assert not desk.ask(f"answer = Gimp.Image.get_by_id({image}).is_dirty()")


def one_undo_takes_everything_of_any_task_away():
    calls = {
        "acetate-generate-scene": "prompt='fox'",
        "acetate-object-on-background": "prompt='fox'",
        "acetate-background-for-layer": "prompt='fox'",
        "acetate-upscale-layer": "scale=1.5",
        "acetate-insert-layers-from-file": f"file=Gio.File.new_for_path({str(OUT / 'chosen.ora')!r})",
    }
    with _image() as image:
        desk = _desk()
        for name, arguments in calls.items():
            desk.ask(
                f"image = Gimp.Image.get_by_id({image})\n"
                f"editor.call({name!r}, image, image.get_layers(), {arguments}).required(); answer = 1"
            )
            assert len(_names(image)) == 2, name
            _in_gimp("ctrl+z")
            until(lambda: _names(image) == ["paper"], f"undo of {name}")
            assert not desk.ask(f"answer = Gimp.Image.get_by_id({image}).is_dirty()"), name


def one_undo_takes_a_repaint_back_and_shows_the_original_again():
    with _image() as image:
        desk = _desk()
        desk.ask(
            f"image = Gimp.Image.get_by_id({image})\n"
            "image.select_ellipse(Gimp.ChannelOps.REPLACE, 40, 40, 90, 80); image.clean_all()\n"
            "layers, hidden = image.get_layers(), {'prompt': 'moss', 'hide_original': True}\n"
            "editor.call('acetate-repaint-selection', image, layers, **hidden).required(); answer = 1"
        )
        shown = f"answer = [layer.get_visible() for layer in Gimp.Image.get_by_id({image}).get_layers()]"
        assert desk.ask(shown) == [True, False]
        _in_gimp("ctrl+z")
        until(lambda: desk.ask(shown) == [True], "undo")


def the_dialog_stays_open_for_the_next_try():
    with _image() as image:
        _generate("one", image)
        _type_prompt("two")
        _submit()
        until(lambda: len(_names(image)) == 3, "a second layer")
        assert [name.split(" (")[0] for name in _names(image)] == ["two", "one", "paper"]


def every_other_generating_dialog_opens_and_makes_its_layers():
    with _image() as image:
        desk = _desk()
        for title, command in OTHERS.items():
            desk.ask(
                f"image = Gimp.Image.get_by_id({image}); image.select_rectangle(Gimp.ChannelOps.REPLACE, 40, 40, 96, 96)\n"
                "image.set_selected_layers([layer for layer in image.get_layers() if layer.get_name() == 'paper']); answer = 1"
            )
            layers = len(_names(image))
            window = desk.open(command, title)
            desk.keys("ctrl+a")
            desk.type("fox")
            desk.press(window, "ctrl+Return", lambda layers=layers: len(_names(image)) > layers)
            desk.dismiss(title)


def while_it_draws_preview_and_progress_show_and_stop_ends_the_job():
    with _image() as image:
        desk = _desk()
        _begin_slowly("a glass bottle")
        desk.rest(1.5)
        desk.shot("generating")
        desk.keys("alt+o")
        until(lambda: not _jobs("running"), "the job to end on the server")
        desk.rest()
        desk.shot("stopped")
        assert _names(image) == ["paper"] and desk.windows(DIALOG), "nothing inserted, the dialog still there"


def _begin_slowly(prompt: str) -> None:
    """Start a job from the dialog that lasts until somebody ends it."""
    desk = _desk()
    _open_dialog()
    _type_prompt(SLOW + prompt)
    desk.keys("alt+d", "alt+o", "ctrl+a")
    desk.type("500")
    desk.keys("Tab", "alt+g")
    until(lambda: _jobs("running"), "the job to run")


def closing_the_dialog_stops_the_job_and_closes():
    with _image() as image:
        desk = _desk()
        _begin_slowly("a glass bottle")
        desk.dismiss(DIALOG)
        until(lambda: not _jobs("running"), "the job to end on the server")
        assert _names(image) == ["paper"]


def the_windows_own_close_button_works_while_idle_and_while_drawing():
    with _image() as image:
        desk = _desk()
        _open_dialog()
        desk.keys("alt+F4")
        desk.gone(DIALOG)
        _begin_slowly("a glass bottle")
        desk.keys("alt+F4")
        desk.gone(DIALOG)
        until(lambda: not _jobs("running"), "the job to end on the server")
        assert _names(image) == ["paper"]


def an_error_is_shown_in_the_dialog_which_stays():
    with _image() as image:
        desk = _desk()
        _open_dialog()
        _type_prompt(" ")
        _submit()
        desk.rest()
        desk.shot("error")
        assert desk.windows(DIALOG) and _names(image) == ["paper"]
        _type_prompt("leaf")
        _submit()
        until(lambda: len(_names(image)) == 2, "a layer after the error")


def the_dialog_remembers_the_last_values_and_repeat_uses_them():
    with _image() as image:
        desk = _desk()
        _generate("a paper crane", image)
        desk.dismiss(DIALOG)
        desk.press(desk.main, "ctrl+f", lambda: desk.plug_in_runs() or len(_names(image)) > 2)  # Filters > Repeat
        until(lambda: len(_names(image)) == 3, "the repetition")
        again, first, _paper = _names(image)
        assert again.startswith("a paper crane (") and again != first
        desk.wait_for_plug_in()
        desk.ask(f"image = Gimp.Image.get_by_id({image}); image.set_selected_layers(image.get_layers()[2:]); answer = 1")
        _open_dialog()
        _submit()
        until(lambda: sum(name.startswith("a paper crane (") for name in _names(image)) == 3, "the remembered prompt")


def settings_are_saved_and_loaded_by_gimps_own_buttons():
    """A button of GTK acts a quarter of a second after its key, or never when another key comes first."""
    kept = Path(os.environ["GIMP3_DIRECTORY"], "plug-in-settings", "GimpProcedureConfigRun-acetate-generate-layer.default")
    with _image() as image:
        desk = _desk()
        _open_dialog()
        _type_prompt("a saved kite")
        desk.keys("alt+s")
        until(lambda: kept.exists() and "a saved kite" in kept.read_text(), "the settings to be saved")
        for patience in (1.0, 4.0, 16.0, 64.0):
            _type_prompt("something else")
            desk.keys("alt+l")
            desk.rest(patience)
            layers = len(_names(image))
            _submit()
            until(lambda layers=layers: len(_names(image)) > layers, "a layer")
            if _names(image)[0].startswith("a saved kite ("):
                break
        else:
            raise AssertionError(_names(image))
        _in_dialog("alt+r")
        desk.rest()
        desk.shot("reset")


def the_dialog_of_a_generated_layer_starts_from_its_parameters():
    with _image() as image:
        desk = _desk()
        _generate("a blue kite", image)
        _type_prompt("something else")
        _submit()
        until(lambda: len(_names(image)) == 3, "the second layer")
        desk.dismiss(DIALOG)
        desk.ask(f"image = Gimp.Image.get_by_id({image}); image.set_selected_layers(image.get_layers()[1:2]); answer = 1")
        _open_dialog()
        _submit()
        until(lambda: len(_names(image)) == 4, "a third layer")
        assert sum(name.startswith("a blue kite (") for name in _names(image)) == 2, _names(image)


def an_indexed_image_is_converted_after_asking_and_one_undo_brings_the_palette_back():
    with _image("indexed") as image:
        desk = _desk()
        desk.open(GENERATE, QUESTION)
        desk.rest()
        desk.shot("question")
        desk.keys("alt+v")
        desk.window(DIALOG)
        _type_prompt("leaf")
        _submit()
        until(lambda: len(_names(image)) == 2, "the layer")
        kind = f"answer = int(Gimp.Image.get_by_id({image}).get_base_type())"
        assert desk.ask(kind) == 0
        desk.dismiss(DIALOG)
        _in_gimp("ctrl+z")
        until(lambda: desk.ask(kind) == 2, "undo to bring the palette back")
        assert _names(image) == ["paper"]


def without_an_image_a_new_one_opens_in_a_window():
    desk = _desk()
    assert desk.ask("answer = len(Gimp.get_images())") == 0
    try:
        _open_dialog()
        _type_prompt("leaf")
        _submit()
        desk.window(r"\[Untitled\].*1 layer.*GIMP")
        _submit()
        desk.window(r"\[Untitled\].*2 layers.*GIMP")
        assert desk.ask("answer = len(Gimp.get_images())") == 1, "the next try goes into the same image"
    finally:
        desk.dismiss(DIALOG)
        _close_images()


def gimps_own_cancel_ends_the_job_on_the_server():
    """Repeat has no dialog: the status bar shows the progress and the Cancel that kills the plug-in."""
    with _image() as image:
        desk = _desk()
        desk.ask(
            f"image = Gimp.Image.get_by_id({image}); import json\n"
            f"prompt = {SLOW + 'leaf'!r}\n"
            "layer = editor.call('acetate-generate-layer', image, image.get_layers(), prompt=prompt, steps=2).required().layer\n"
            "kept = editor.record(layer); kept['parameters']['steps'] = 500\n"
            "data = json.dumps(kept).encode(); layer.attach_parasite(Gimp.Parasite.new('acetate', 3, data)); answer = 1"
        )
        bar = desk.status_bar()
        desk.start(REPEAT)
        until(lambda: _jobs("running"), "the job to run")
        desk.cancel_in_status_bar(bar)
        until(lambda: not _jobs("running"), "the job to end on the server")
        assert len(_names(image)) == 2


def the_history_shows_results_and_inserts_one_again():
    with _image() as image:
        desk = _desk()
        name = _generate("a yellow pear", image)
        desk.dismiss(DIALOG)
        window = desk.open(SHOW_HISTORY, HISTORY)
        desk.rest(1.0)
        desk.shot("history")
        desk.press(window, "alt+i", lambda: len(_names(image)) > 2)  # possible as soon as the history has come
        assert _names(image) == [f"{name} #1", name, "paper"], "the newest result again, which GIMP numbers"
        both = f"first, second, _ = Gimp.Image.get_by_id({image}).get_layers()"
        assert desk.ask(f"{both}; answer = editor.pixels(first) == editor.pixels(second)")


def the_history_saves_a_result_as_a_psd_file():
    with _image() as image:
        desk = _desk()
        _generate("a green pear", image)
        desk.dismiss(DIALOG)
        window = desk.open(SHOW_HISTORY, HISTORY)
        desk.press(window, "alt+s", lambda: desk.windows(SAVE))  # possible as soon as the history has come
        desk.focus(desk.window(SAVE))
        desk.rest()
        desk.shot("save")
        kept = OUT / "kept.psd"
        desk.keys("ctrl+a")
        desk.type(str(kept))
        desk.keys("Return")
        until(kept.exists, "the file")
        desk.rest()
        desk.shot("saved")
        made = f"made = Gimp.Image.get_by_id({image}).get_layers()[0]"
        opened = f"image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path({str(kept)!r}))"
        whole = "layer, = image.get_layers(); layer.resize_to_image_size()"  # the file has the layer without its empty edges
        same = "answer = editor.pixels(layer) == editor.pixels(made); image.delete()"
        assert desk.ask(f"{made}; {opened}; {whole}; {same}")
        assert not list(OUT.glob(".kept*")), "no unfinished file is left"


def the_layers_of_a_file_are_inserted_through_the_dialog():
    with _image() as image:
        desk = _desk()
        window = desk.open(INSERT_FILE, FILE)
        desk.keys("alt+i")
        desk.rest()
        assert desk.windows(FILE), "without a file there is nothing to insert, and the dialog stays"
        desk.shot("file")
        desk.keys("alt+f")
        desk.press(window, "space", lambda: desk.windows(CHOOSER))
        desk.focus(desk.window(CHOOSER))
        desk.keys("ctrl+l")
        desk.type(str(OUT / "chosen.ora"))
        desk.rest()
        desk.shot("choosing")
        desk.keys("Return")
        desk.gone(CHOOSER)
        desk.press(window, "alt+i", lambda: len(_names(image)) > 1)
        assert _names(image) == ["chosen.ora", "paper"]


def none_of_this_has_opened_a_message_box():
    """What the engine warns of is shown in the dialog or kept on the layer; a box would take the keyboard."""
    desk = _desk()
    desk.close_boxes()
    assert desk.boxes == []
