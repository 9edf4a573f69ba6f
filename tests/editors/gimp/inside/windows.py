"""Claims about what a person sees and does: the menu, the dialog, undo, GIMP's own progress and Cancel.

Runs beside GIMP, not in it: see `desk`. All claims share one GIMP; each opens an image of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

from desk import OUT, until
from screen import (
    CHOOSER,
    DIALOG,
    FILE,
    GENERATE,
    HISTORY,
    INSERT_FILE,
    OTHERS,
    QUESTION,
    REPEAT,
    SAVE,
    SHOW_HISTORY,
    SLOW,
    close_images,
    generate,
    in_dialog,
    in_gimp,
    jobs,
    names,
    open_dialog,
    open_image,
    submit,
    the_desk,
    type_prompt,
)


def the_filters_menu_shows_acetate_and_opens_the_dialog():
    with open_image():
        desk = the_desk()
        desk.choose(GENERATE, picture="menu")
        desk.window(DIALOG)


def a_prompt_typed_into_the_dialog_becomes_a_layer_with_the_bytes_sent():
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        desk.rest()
        desk.shot("idle")
        type_prompt("a red apple")
        submit()
        until(lambda: len(names(image)) == 2, "a new layer")
        desk.rest()
        desk.shot("inserted")
        same = desk.ask(
            f"layer = Gimp.Image.get_by_id({image}).get_layers()[0]\n"
            "(ready,) = editor.sent(editor.record(layer)['job'])\n"
            "answer = editor.pixels(layer) == editor.in_box(ready)"
        )
        assert same and names(image)[0].startswith("a red apple (")


def one_undo_takes_the_layer_away_and_one_redo_brings_it_back_to_the_byte():
    with open_image() as image:
        desk = the_desk()
        name = generate("a red apple", image)
        desk.dismiss(DIALOG)
        digest = (
            f"import hashlib; answer = hashlib.sha256(editor.pixels(Gimp.Image.get_by_id({image}).get_layers()[0])).hexdigest()"
        )
        before = desk.ask(digest)
        in_gimp("ctrl+z")
        until(lambda: names(image) == ["paper"], "undo to take the layer away")
        assert not desk.ask(f"answer = Gimp.Image.get_by_id({image}).is_dirty()"), "one step was everything"
        in_gimp("ctrl+y")
        until(lambda: names(image) == [name, "paper"], "redo to bring it back")
        assert desk.ask(digest) == before
        assert desk.ask(f"answer = editor.record(Gimp.Image.get_by_id({image}).get_layers()[0])['task']") == "foreground"


def one_undo_takes_a_group_of_candidates_away():
    with open_image() as image:
        desk = the_desk()
        desk.ask(
            f"image = Gimp.Image.get_by_id({image})\n"
            "editor.call('acetate-generate-layer', image, image.get_layers(), prompt='leaf', count=3).required(); answer = 1"
        )
        assert len(names(image)) == 2
        in_gimp("ctrl+z")
        until(lambda: names(image) == ["paper"], "undo")
        assert not desk.ask(f"answer = Gimp.Image.get_by_id({image}).is_dirty()")


def one_undo_takes_everything_of_any_task_away():
    calls = {
        "acetate-generate-scene": "prompt='fox'",
        "acetate-object-on-background": "prompt='fox'",
        "acetate-background-for-layer": "prompt='fox'",
        "acetate-upscale-layer": "scale=1.5",
        "acetate-insert-layers-from-file": f"file=Gio.File.new_for_path({str(OUT / 'chosen.ora')!r})",
    }
    with open_image() as image:
        desk = the_desk()
        for name, arguments in calls.items():
            desk.ask(
                f"image = Gimp.Image.get_by_id({image})\n"
                f"editor.call({name!r}, image, image.get_layers(), {arguments}).required(); answer = 1"
            )
            assert len(names(image)) == 2, name
            in_gimp("ctrl+z")
            until(lambda: names(image) == ["paper"], f"undo of {name}")
            assert not desk.ask(f"answer = Gimp.Image.get_by_id({image}).is_dirty()"), name


def one_undo_takes_a_repaint_back_and_shows_the_original_again():
    with open_image() as image:
        desk = the_desk()
        desk.ask(
            f"image = Gimp.Image.get_by_id({image})\n"
            "image.select_ellipse(Gimp.ChannelOps.REPLACE, 40, 40, 90, 80); image.clean_all()\n"
            "layers, hidden = image.get_layers(), {'prompt': 'moss', 'hide_original': True}\n"
            "editor.call('acetate-repaint-selection', image, layers, **hidden).required(); answer = 1"
        )
        shown = f"answer = [layer.get_visible() for layer in Gimp.Image.get_by_id({image}).get_layers()]"
        assert desk.ask(shown) == [True, False]
        in_gimp("ctrl+z")
        until(lambda: desk.ask(shown) == [True], "undo")


def the_dialog_stays_open_for_the_next_try():
    with open_image() as image:
        generate("one", image)
        type_prompt("two")
        submit()
        until(lambda: len(names(image)) == 3, "a second layer")
        assert [name.split(" (")[0] for name in names(image)] == ["two", "one", "paper"]


def every_other_generating_dialog_opens_and_makes_its_layers():
    with open_image() as image:
        desk = the_desk()
        for title, command in OTHERS.items():
            desk.ask(
                f"image = Gimp.Image.get_by_id({image}); image.select_rectangle(Gimp.ChannelOps.REPLACE, 40, 40, 96, 96)\n"
                "image.set_selected_layers([layer for layer in image.get_layers() if layer.get_name() == 'paper']); answer = 1"
            )
            layers = len(names(image))
            window = desk.open(command, title)
            desk.keys("ctrl+a")
            desk.type("fox")
            desk.press(window, "ctrl+Return", lambda layers=layers: len(names(image)) > layers)
            desk.dismiss(title)


def while_it_draws_preview_and_progress_show_and_stop_ends_the_job():
    with open_image() as image:
        desk = the_desk()
        _begin_slowly("a glass bottle")
        desk.rest(1.5)
        desk.shot("generating")
        desk.keys("alt+j")
        until(lambda: not jobs("running"), "the job to end on the server")
        desk.rest()
        desk.shot("stopped")
        assert names(image) == ["paper"] and desk.windows(DIALOG), "nothing inserted, the dialog still there"


def _begin_slowly(prompt: str) -> None:
    """Start a job from the dialog that lasts until somebody ends it."""
    desk = the_desk()
    open_dialog()
    type_prompt(SLOW + prompt)
    desk.keys("alt+d", "alt+o", "ctrl+a")
    desk.type("500")
    desk.keys("Tab", "alt+g")
    until(lambda: jobs("running"), "the job to run")


def closing_the_dialog_stops_the_job_and_closes():
    with open_image() as image:
        desk = the_desk()
        _begin_slowly("a glass bottle")
        desk.dismiss(DIALOG)
        until(lambda: not jobs("running"), "the job to end on the server")
        assert names(image) == ["paper"]


def the_windows_own_close_button_works_while_idle_and_while_drawing():
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        desk.keys("alt+F4")
        desk.gone(DIALOG)
        _begin_slowly("a glass bottle")
        desk.keys("alt+F4")
        desk.gone(DIALOG)
        until(lambda: not jobs("running"), "the job to end on the server")
        assert names(image) == ["paper"]


def an_error_is_shown_in_the_dialog_which_stays():
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        type_prompt(" ")
        submit()
        desk.rest()
        desk.shot("error")
        assert desk.windows(DIALOG) and names(image) == ["paper"]
        type_prompt("leaf")
        submit()
        until(lambda: len(names(image)) == 2, "a layer after the error")


def the_dialog_remembers_the_last_values_and_repeat_uses_them():
    with open_image() as image:
        desk = the_desk()
        generate("a paper crane", image)
        desk.dismiss(DIALOG)
        desk.press(desk.main, "ctrl+f", lambda: desk.plug_in_runs() or len(names(image)) > 2)  # Filters > Repeat
        until(lambda: len(names(image)) == 3, "the repetition")
        again, first, _paper = names(image)
        assert again.startswith("a paper crane (") and again != first
        desk.wait_for_plug_in()
        desk.ask(f"image = Gimp.Image.get_by_id({image}); image.set_selected_layers(image.get_layers()[2:]); answer = 1")
        open_dialog()
        submit()
        until(lambda: sum(name.startswith("a paper crane (") for name in names(image)) == 3, "the remembered prompt")


def settings_are_saved_and_loaded_by_gimps_own_buttons():
    """A button of GTK acts a quarter of a second after its key, or never when another key comes first."""
    kept = Path(os.environ["GIMP3_DIRECTORY"], "plug-in-settings", "GimpProcedureConfigRun-acetate-generate-layer.default")
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        type_prompt("a saved kite")
        desk.keys("alt+s")
        until(lambda: kept.exists() and "a saved kite" in kept.read_text(), "the settings to be saved")
        for patience in (1.0, 4.0, 16.0, 64.0):
            type_prompt("something else")
            desk.keys("alt+l")
            desk.rest(patience)
            layers = len(names(image))
            submit()
            until(lambda layers=layers: len(names(image)) > layers, "a layer")
            if names(image)[0].startswith("a saved kite ("):
                break
        else:
            raise AssertionError(names(image))
        in_dialog("alt+r")
        desk.rest()
        desk.shot("reset")


def the_dialog_of_a_generated_layer_starts_from_its_parameters():
    with open_image() as image:
        desk = the_desk()
        generate("a blue kite", image)
        type_prompt("something else")
        submit()
        until(lambda: len(names(image)) == 3, "the second layer")
        desk.dismiss(DIALOG)
        desk.ask(f"image = Gimp.Image.get_by_id({image}); image.set_selected_layers(image.get_layers()[1:2]); answer = 1")
        open_dialog()
        submit()
        until(lambda: len(names(image)) == 4, "a third layer")
        assert sum(name.startswith("a blue kite (") for name in names(image)) == 2, names(image)


def an_indexed_image_is_converted_after_asking_and_one_undo_brings_the_palette_back():
    with open_image("indexed") as image:
        desk = the_desk()
        open_dialog()
        type_prompt("leaf")
        submit()
        desk.focus(desk.window(QUESTION))
        desk.rest()
        desk.shot("question")
        desk.keys("alt+v")
        until(lambda: len(names(image)) == 2, "the layer")
        kind = f"answer = int(Gimp.Image.get_by_id({image}).get_base_type())"
        assert desk.ask(kind) == 0
        desk.dismiss(DIALOG)
        in_gimp("ctrl+z")
        until(lambda: desk.ask(kind) == 2, "undo to bring the palette back")
        assert names(image) == ["paper"]


def without_an_image_a_new_one_opens_in_a_window():
    desk = the_desk()
    assert desk.ask("answer = len(Gimp.get_images())") == 0
    try:
        open_dialog()
        type_prompt("leaf")
        submit()
        desk.window(r"\[Untitled\].*1 layer.*GIMP")
        submit()
        desk.window(r"\[Untitled\].*2 layers.*GIMP")
        assert desk.ask("answer = len(Gimp.get_images())") == 1, "the next try goes into the same image"
    finally:
        desk.dismiss(DIALOG)
        close_images()


def gimps_own_cancel_ends_the_job_on_the_server():
    """Repeat has no dialog: the status bar shows the progress and the Cancel that kills the plug-in."""
    with open_image() as image:
        desk = the_desk()
        desk.ask(
            f"image = Gimp.Image.get_by_id({image}); import json\n"
            f"prompt = {SLOW + 'leaf'!r}\n"
            "layer = editor.call('acetate-generate-layer', image, image.get_layers(), prompt=prompt, steps=2).required().layer\n"
            "kept = editor.record(layer); kept['parameters'].update(steps=500, count=64)\n"  # far longer than any search
            "data = json.dumps(kept).encode(); layer.attach_parasite(Gimp.Parasite.new('acetate', 3, data)); answer = 1"
        )
        bar = desk.status_bar()
        desk.start(REPEAT)
        until(lambda: jobs("running"), "the job to run")
        desk.cancel_in_status_bar(bar)
        until(lambda: not jobs("running"), "the job to end on the server")
        assert len(names(image)) == 2, names(image)


def the_history_shows_results_and_inserts_one_again():
    with open_image() as image:
        desk = the_desk()
        name = generate("a yellow pear", image)
        desk.dismiss(DIALOG)
        window = desk.open(SHOW_HISTORY, HISTORY)
        desk.rest(1.0)
        desk.shot("history")
        desk.press(window, "alt+i", lambda: len(names(image)) > 2)  # possible as soon as the history has come
        assert names(image) == [f"{name} #1", name, "paper"], "the newest result again, which GIMP numbers"
        both = f"first, second, _ = Gimp.Image.get_by_id({image}).get_layers()"
        assert desk.ask(f"{both}; answer = editor.pixels(first) == editor.pixels(second)")


def the_history_saves_a_result_as_a_psd_file():
    with open_image() as image:
        desk = the_desk()
        generate("a green pear", image)
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
    with open_image() as image:
        desk = the_desk()
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
        desk.press(window, "alt+i", lambda: len(names(image)) > 1)
        assert names(image) == ["chosen.ora", "paper"]


def none_of_this_has_opened_a_message_box():
    """What the engine warns of is shown in the dialog or kept on the layer; a box would take the keyboard."""
    desk = the_desk()
    desk.close_boxes()
    assert desk.boxes == []
