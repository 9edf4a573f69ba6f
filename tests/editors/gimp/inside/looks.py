"""Pictures of GIMP's window in its states, for a person to look at and for the manual.

Runs beside GIMP, not in it: see `desk`.
"""

from __future__ import annotations

from acetate.protocol import Client, Jobs
from desk import PATIENCE, until
from screen import (
    DIALOG,
    HISTORY,
    QUEUE,
    SLOW,
    in_dialog,
    jobs,
    names,
    open_dialog,
    open_image,
    submit,
    the_desk,
    type_prompt,
)

FARTHER = (790, 5)
"""Where the window hides nothing of the image, on a screen that is wide enough."""

HALF = 0.5


def the_window_is_drawn_in_all_its_states():
    with open_image() as image:
        desk = the_desk()
        open_dialog()
        desk.move_beside(desk.window(DIALOG), FARTHER)
        _shot("idle", DIALOG)
        in_dialog("alt+w", "alt+e", "ctrl+a")
        desk.type("1234")
        desk.keys("Tab", "alt+p")
        type_prompt("a red apple")
        submit()
        until(lambda: len(names(image)) == 2 and not jobs("running"), "a layer")
        desk.rest(8.0)  # GIMP shows a new layer piece by piece
        desk.shot("window")
        type_prompt("a fox")
        in_dialog("alt+n", "ctrl+a")
        desk.type("3")
        desk.keys("Tab", "alt+p")
        submit()
        until(lambda: len(names(image)) == 3 and not jobs("running"), "the candidates", 2 * PATIENCE)
        desk.rest(1.0)
        _shot("candidates", DIALOG)
        in_dialog("alt+2")
        desk.rest(1.0)
        _shot("history", HISTORY)
        desk.keys("alt+1")
        desk.window(DIALOG)
        type_prompt(SLOW + "a green glass ball")
        submit()
        until(lambda: HALF <= _share() < 1, "half of the job")
        _shot("drawing", DIALOG)
        submit()
        submit()
        until(lambda: jobs("waiting"), "another to wait")
        in_dialog("alt+3")
        desk.rest(1.5)
        _shot("queue", QUEUE)
        desk.press(desk.window(QUEUE), "alt+a", lambda: not jobs("running") and not jobs("waiting"))
        desk.keys("alt+1")
        desk.window(DIALOG)
        in_dialog("alt+p")
        type_prompt(" ")
        submit()
        desk.rest(1.0)
        _shot("failure", DIALOG)


def _share() -> float:
    """How much of the job that runs is done."""
    with Client("check") as client:
        client.jobs()
        while not isinstance(event := client.events.get(timeout=PATIENCE), Jobs):
            pass
        return max((line.fraction or 0.0 for line in event.jobs if line.state == "running"), default=0.0)


def _shot(name: str, title: str) -> None:
    the_desk().rest()
    the_desk().shot(name, the_desk().window(title))
