"""Claims about what goes wrong around our window in GIMP on a screen: nothing that a person does there ends in a box or a loss.

Runs beside GIMP, not in it: see `desk`.
"""

from __future__ import annotations

from desk import MESSAGE, until
from screen import DIALOG, SLOW, close_images, generate, jobs, names, open_dialog, open_image, submit, the_desk, type_prompt

VERY_SLOW = SLOW.replace("0.2", "5")
"""As `SLOW`, for a job that is never waited for."""


def closing_the_image_and_then_the_window_opens_no_box():
    desk = the_desk()
    with open_image() as image:
        generate("a kite", image)
        close_images()
        desk.dismiss(DIALOG)
        desk.wait_for_plug_in()
        desk.rest()
        assert not desk.windows(MESSAGE) and not desk.boxes, desk.boxes


def an_image_that_is_closed_while_it_draws_loses_neither_the_result_nor_a_word():
    desk = the_desk()
    with open_image():
        open_dialog()
        type_prompt(f"{SLOW}a second kite")
        submit()
        until(lambda: jobs("running"), "the job to run")
        _close_images_now()
        until(lambda: desk.ask("answer = [len(one.get_layers()) for one in Gimp.get_images()]") == [1], "a new image")
        desk.dismiss(DIALOG)
        assert not desk.windows(MESSAGE) and not desk.boxes, desk.boxes


def _close_images_now() -> None:
    """Close the images that are there now; another may open at once."""
    the_desk().ask("editor.close_images(); answer = 1")


def while_our_window_draws_gimps_status_bar_offers_no_cancel():
    """It would kill the process, and the window with all that was typed."""
    desk = the_desk()
    with open_image() as image:
        open_dialog()
        before = desk.status_bar()
        type_prompt(f"{VERY_SLOW}a third kite")
        submit()
        until(lambda: jobs("running"), "the job to run")
        bar, still_runs = desk.status_bar(), jobs("running")
        assert not still_runs or bar == before
        assert still_runs or not SLOW, "the job was over before anybody could look"
        desk.dismiss(DIALOG)
        assert names(image) == ["paper"]


def what_was_typed_is_kept_when_the_window_closes_without_a_layer():
    desk = the_desk()
    with open_image():
        open_dialog()
        type_prompt(f"{SLOW}an unfinished kite")
        submit()
        until(lambda: jobs("running"), "the job to run")
        desk.dismiss(DIALOG)
        until(lambda: not jobs("running"), "the job to stop")
        kept = "answer = open(Gimp.directory() + '/plug-in-settings/GimpProcedureConfigRun-acetate-generate-layer.last').read()"
        assert "an unfinished kite" in desk.ask(kept)
