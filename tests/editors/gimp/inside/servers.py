"""Claims about the window and its server: which one it works with, and what it offers where there is none.

Runs beside GIMP, not in it: see `desk`. Each claim begins without a server; see `faults` for runs without a window.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import sys
from pathlib import Path

from acetate.protocol import home, running_server, state_file
from desk import until, within
from screen import DIALOG, names, open_dialog, open_image, press_offer, submit, the_desk, type_prompt

LAUNCH = Path(os.environ["GIMP3_DIRECTORY"], "plug-ins", "acetate-gimp", "launch.json")
SERVER = "^Acetate's Server$"
STARTING = 30.0
"""Seconds that a server may take to start."""
TELLING = 4.0
"""Seconds until the window says that there is no server."""
PROGRAM = json.loads(os.environ["SERVER"])


@contextlib.contextmanager
def _launched_by(command: list[str]):
    """A window whose plug-in starts its server by this command. Afterwards no server runs, and this computer's is chosen."""
    state_file().unlink(missing_ok=True)
    LAUNCH.write_text(json.dumps({"command": command}))
    try:
        with open_image() as image:
            yield image
    finally:
        LAUNCH.unlink(missing_ok=True)
        (home() / "editors.json").unlink(missing_ok=True)
        if (running := running_server()) is not None:
            os.kill(running.pid, signal.SIGTERM)
            until(lambda: running_server() is None, "the server to end")


def _press_the_offer() -> None:
    """Until a server has started."""

    def started() -> bool:
        press_offer(DIALOG)
        return bool(within(STARTING, running_server))

    until(started, "the server")


def _a_layer_comes(image: int) -> None:
    desk = the_desk()
    desk.focus(desk.window(DIALOG))
    desk.keys("alt+p")
    type_prompt("a fox")
    submit()
    until(lambda: len(names(image)) == 2, "a layer")


def a_server_that_does_not_start_is_started_when_asked_again():
    """The command fails at first; what is wrong is mended while the window is open, and the button is pressed."""
    broken = [sys.executable, "-c", "raise SystemExit('no room left')"]
    with _launched_by(broken) as image:
        open_dialog()
        desk = the_desk()
        until((home() / "serve.out").exists, "the first attempt")
        desk.rest(TELLING)
        desk.shot("server-does-not-start")
        LAUNCH.write_text(json.dumps({"command": PROGRAM}))
        _press_the_offer()
        _a_layer_comes(image)


def a_program_that_is_gone_is_found_again_by_trying_again():
    with _launched_by(["/nowhere/acetate", "serve"]) as image:
        open_dialog()
        desk = the_desk()
        desk.rest(TELLING)
        desk.shot("program-is-gone")
        LAUNCH.write_text(json.dumps({"command": PROGRAM}))
        _press_the_offer()
        _a_layer_comes(image)


def another_server_is_tested_and_chosen_by_address_and_token():
    with _launched_by(PROGRAM) as image:
        open_dialog()
        desk = the_desk()
        address = until(running_server, "the server").address
        desk.rest(1.0)
        desk.shot("server-line")
        desk.focus(desk.window(DIALOG))
        desk.keys("alt+0")
        desk.focus(desk.window(SERVER))
        desk.keys("alt+a", "alt+d", "ctrl+a")
        desk.type(address.url)
        desk.keys("alt+t")
        desk.rest(1.0)
        desk.shot("server-without-token")
        desk.keys("alt+o")
        assert not within(2.0, lambda: not desk.windows(SERVER)), "a token is missing, and nothing is lost of the address"
        desk.keys("alt+k")
        desk.type("wrong")
        desk.keys("alt+t")
        desk.rest(3.0)
        desk.shot("server-with-a-wrong-token")
        desk.keys("alt+k", "ctrl+a")
        desk.type(address.token)
        desk.keys("alt+t")
        desk.rest(3.0)
        desk.shot("server-works")
        desk.press(desk.window(SERVER), "alt+o", lambda: not desk.windows(SERVER))
        kept = home() / "editors.json"
        until(kept.exists, "the choice")
        assert json.loads(kept.read_text())["url"] == address.url and stat.S_IMODE(kept.stat().st_mode) == 0o600
        _a_layer_comes(image)
