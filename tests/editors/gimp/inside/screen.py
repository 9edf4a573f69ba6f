"""Hands and eyes of the person at GIMP's windows: its dialogs by their titles, typing, waiting, looking.

Runs beside GIMP, not in it: see `desk`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import re
from pathlib import Path

from acetate.protocol import Client, HistoryEntry, HistoryPage, Jobs
from desk import PATIENCE, Command, Desk, until

DIALOG, HISTORY, QUEUE, QUESTION = "^Generate Layer$", "^Acetate History$", "^Acetate Queue$", "^Acetate$"
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
FORM = "^(" + "|".join(title.strip("^$") for title in (DIALOG, *OTHERS)) + ")$"
"""The window with the form of any task."""
DIALOGS = (QUESTION, CHOOSER, SAVE, DIALOG, *OTHERS, HISTORY, QUEUE, FILE)
GENERATE, REPEAT = Command("ctrl+F5", "g"), Command("ctrl+F8", "n")
SHOW_HISTORY, INSERT_FILE = Command("ctrl+F6", "h"), Command("ctrl+F7", "i")
OFFER = (-70, -78)
"""Where the button beside a message lies, from our window's lower right corner."""
KEPT = Path(os.environ["GIMP3_DIRECTORY"], "plug-in-settings")
"""Where GIMP keeps the values of forms."""
SLOW = "@sleep:0.2 " if os.environ["ENGINE"] == "fake" else ""
"""Makes the fake engine take its time; a real one does by itself."""


@functools.cache
def the_desk() -> Desk:
    desk = Desk()
    atexit.register(desk.close)
    return desk


@contextlib.contextmanager
def open_image(kind: str = "rgb"):
    """A white image in a window of its own; afterwards dialogs and images are gone, and the settings forgotten."""
    desk = the_desk()
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
        if desk.windows("|".join(DIALOGS)):
            for title in DIALOGS:
                desk.dismiss(title)
        close_images()
        _forget_settings()


def _forget_settings() -> None:
    """So that the next claim finds the values that the procedures are registered with, not 500 steps that this one has typed."""
    for kept in KEPT.glob("GimpProcedureConfigRun-*"):
        kept.unlink()


def close_images() -> None:
    the_desk().ask("editor.close_images(); answer = 1")
    until(lambda: not the_desk().ask("answer = len(Gimp.get_images())"), "the images to close")


def names(image: int) -> list[str]:
    return the_desk().ask(f"answer = editor.names(Gimp.Image.get_by_id({image}).get_layers())")


def open_dialog() -> None:
    the_desk().move_beside(the_desk().open(GENERATE, DIALOG))


def type_prompt(prompt: str) -> None:
    """Into the open dialog, whose prompt has the focus while nothing is drawn, instead of what is there."""
    in_dialog("ctrl+a")
    the_desk().type(prompt)


def submit() -> None:
    in_dialog("ctrl+Return")


def in_dialog(*keys: str) -> None:
    """In the window, whichever task it shows."""
    the_desk().focus(the_desk().window(FORM))
    the_desk().keys(*keys)


def press_offer(title: str) -> None:
    """The button beside the message in the window with this title."""
    width, height = the_desk().size(title)
    the_desk().click(the_desk().window(title), width + OFFER[0], height + OFFER[1])


def in_gimp(*keys: str) -> None:
    """In GIMP's own window, when the call before has come to its end."""
    the_desk().wait_for_plug_in()
    the_desk().focus(the_desk().main)
    the_desk().keys(*keys)


def generate(prompt: str, image: int) -> str:
    """Open the dialog, type, press Ctrl+Return, wait for the layer; return its name."""
    open_dialog()
    type_prompt(prompt)
    before = len(names(image))
    submit()
    return until(lambda: (found := names(image)) and len(found) > before and found[0], "a new layer")


def saved(procedure: str) -> dict[str, str]:
    """The form's values, by the button that saves them."""
    kept = KEPT / f"GimpProcedureConfigRun-{procedure}.default"
    kept.unlink(missing_ok=True)
    the_desk().press(the_desk().window(FORM), "alt+s", kept.exists)
    return dict(re.findall(r"^\(([a-z-]+) (.*)\)$", kept.read_text(), re.MULTILINE))


def jobs(state: str) -> list[str]:
    with Client("check") as client:
        client.jobs()
        while not isinstance(event := client.events.get(timeout=PATIENCE), Jobs):
            pass
        return [line.job for line in event.jobs if line.state == state]


def newest_result() -> HistoryEntry:
    """What the server's history begins with."""
    (newest,) = newest_results()
    return newest


def newest_results() -> tuple[HistoryEntry, ...]:
    """The same; nothing where the history is empty."""
    with Client("check") as client:
        client.history(limit=1, thumbnails=False)
        while not isinstance(event := client.events.get(timeout=PATIENCE), HistoryPage):
            pass
        return event.entries
