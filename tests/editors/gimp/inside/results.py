"""Claims about what comes into the one window: candidates, the history, the queue, and many layers one after another.

Runs beside GIMP, not in it: see `desk`.
"""

from __future__ import annotations

import re
from pathlib import Path

from desk import until, within
from screen import (
    DIALOG,
    HISTORY,
    QUEUE,
    SHOW_HISTORY,
    SLOW,
    generate,
    in_dialog,
    jobs,
    names,
    newest_result,
    newest_results,
    open_dialog,
    open_image,
    press_offer,
    submit,
    the_desk,
    type_prompt,
)

GROWTH = 24.0
"""MB that forty layers more may cost the window: GTK and Python keep some of what they once had."""


def of_several_candidates_the_first_comes_and_another_is_put_in_by_keys():
    with open_image() as image:
        desk = the_desk()
        _draw_three(image)
        desk.shot("candidates")
        desk.double_click(DIALOG, *_SECOND_CANDIDATE)
        until(lambda: len(names(image)) == 3, "the second candidate")
        seeds = "[editor.record(layer)['seed'] for layer in Gimp.Image.get_by_id({image}).get_layers()[:2]]"
        second, first = desk.ask(f"answer = {seeds.format(image=image)}")
        assert second == first + 1


def _draw_three(image: int) -> None:
    """Candidates in the window, of which the first is in the image."""
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


_SECOND_CANDIDATE = (-190, 418)
"""Where the thumbnail lies, from the window's upper right corner."""


def a_candidate_that_was_thrown_away_comes_back_by_undo():
    with open_image() as image:
        desk = the_desk()
        _draw_three(image)
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


def a_result_that_was_thrown_away_in_the_history_comes_back_by_its_button():
    with open_image() as image:
        desk = the_desk()
        generate("a plum", image)
        job = newest_result().job

        def is_kept() -> bool:
            return job in [one.job for one in newest_results()]

        desk.keys("alt+2")
        before = _throw_away_in_history()
        desk.shot("thrown-away-in-the-history")
        assert is_kept(), "nothing is deleted before it is clear that it is meant"
        press_offer(HISTORY)
        until(lambda: desk.size(HISTORY) == before, "the words to go")
        desk.dismiss(HISTORY)
        assert not within(2.0, lambda: not is_kept()), "closing the window deletes nothing that was taken back"
        desk.open(SHOW_HISTORY, HISTORY)
        _throw_away_in_history()
        desk.dismiss(HISTORY)
        until(lambda: not is_kept(), "closing the window to delete what was thrown away")


def _throw_away_in_history() -> tuple[int, int]:
    """The newest result; returns the window's size without the words about it."""
    desk = the_desk()
    window = desk.window(HISTORY)
    desk.rest(1.0)
    before = desk.size(HISTORY)
    desk.press(window, "Delete", lambda: desk.size(HISTORY) != before)
    return before


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
