"""GIMP on a private screen, with a keyboard, a camera and a probe that answers questions about its images.

Runs inside the tree, in a Python of its own beside GIMP; the windows are driven as a person drives them. Nothing here counts on
speed: whatever is pressed or clicked is done in a window that has the focus, and again when it had no effect.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

OUT = Path(os.environ["OUT"])
PATIENCE = 240.0
CLOSING = 10.0
"""How long GIMP may take to end by itself: now and then it hangs, a defect of its own."""
FIRST_START = 600.0
"""GIMP's first start in a fresh profile asks a hundred plug-ins for their procedures."""
RETRY = 60.0
"""How long a key may have no effect before it counts as lost."""
LOOKS = 5
MESSAGE = "^GIMP (Message|Warning|Error)$"
STATUS_BAR = 70
"""Pixels at the lower edge of GIMP's window among which its status bar is."""
WINDOW = (1880, 1040) if os.environ.get("GDK_SCALE") == "2" else (1240, 800)
"""Pixels of GIMP's window, so that one picture looks like another."""
BESIDE = (380, 5) if os.environ.get("GDK_SCALE") == "2" else (620, 5)
"""Where a dialog hides neither the layers nor much of a small image."""
MENU = ("alt+r", "Up", "Right")
"""Unfolds Filters > Acetate, the last entry of that menu."""
BUTTON = 24
"""Pixels of a button's width at least."""


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait for something that another program does; there is nothing to be notified by."""
    found = within(seconds, condition)
    assert found, f"waited {seconds:g} s in vain for {what}"
    return found


def within(seconds: float, condition: Callable[[], Any]) -> Any:
    """What `condition` gives as soon as it is true; false when it did not become so in that time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.2)  # each look may be a process of its own
    return found


class Command(NamedTuple):
    """How a procedure of ours is started."""

    shortcut: str
    """In this profile: see `SHORTCUTS` in conftest."""
    letter: str
    """Underlined in the menu."""


class Desk:
    """One running GIMP."""

    def __init__(self, *files: Path) -> None:
        self._pipes = Path(tempfile.mkdtemp())
        for name in ("questions", "answers"):
            os.mkfifo(self._pipes / name)
        probe = f'exec(open("{os.environ["CHECKS"]}/probe.py").read())'
        command = ["gimp-3", "-n", "-s", "--batch-interpreter=python-fu-eval", "-b", probe, *map(str, files)]
        self._log = (OUT / "gimp.log").open("ab")
        environment = {**os.environ, "PIPES": str(self._pipes)}
        self._gimp = subprocess.Popen(command, env=environment, stdout=self._log, stderr=subprocess.STDOUT)
        self._by_menu = False
        self.boxes: list[str] = []
        """Pictures of the message boxes that came up."""
        self.main = self.window("GNU Image Manipulation Program|.* – GIMP$", FIRST_START)
        assert self.ask("answer = 1") == 1
        self.fit()
        self._park()

    def close(self) -> None:
        self._gimp.terminate()
        try:
            self._gimp.wait(CLOSING)
        except subprocess.TimeoutExpired:  # GIMP's own handler may wait for a lock that the code it interrupted holds
            self._gimp.kill()
            self._gimp.wait(PATIENCE)
        self._log.close()

    def ask(self, question: str) -> Any:
        """The value that the Python code gives `answer` inside GIMP; `editor` and GIMP's modules are at hand."""
        (self._pipes / "questions").write_text(question)
        reply = json.loads((self._pipes / "answers").read_text())
        assert "failed" not in reply, reply
        return reply["answer"]

    def window(self, title: str, seconds: float = PATIENCE) -> str:
        """The id of the window with this title (a regular expression), as soon as there is one."""
        return str(until(lambda: self.windows(title), f"a window {title!r}", seconds)[-1])

    def windows(self, title: str) -> list[str]:
        """The ids of the windows with this title that there are now."""
        return _xdotool("search", "--onlyvisible", "--name", title).split()

    def gone(self, title: str) -> None:
        until(lambda: not self.windows(title), f"the window {title!r} to close")

    def dismiss(self, title: str) -> None:
        """Close the windows with this title, if there are any. An open list or menu in one takes the first Escape."""

        def closed() -> bool:
            for window in self.windows(title):
                self.focus(window)
                self.keys("Escape")
            return bool(within(RETRY / 4, lambda: not self.windows(title)))

        if self.windows(title):  # else a window with another title may be open, and its call go on
            until(closed, f"the window {title!r} to close")
            self.wait_for_plug_in()

    def fit(self) -> None:
        """Give GIMP's window its size, and again: while it starts GIMP sets one of its own, sooner or later."""

        def fits() -> bool:
            _xdotool("windowsize", self.main, *map(str, WINDOW))
            self.rest()
            shape = _xdotool("getwindowgeometry", "--shell", self.main).split()
            return {f"WIDTH={WINDOW[0]}", f"HEIGHT={WINDOW[1]}"} <= set(shape)

        until(fits, f"GIMP's window to be {WINDOW[0]} x {WINDOW[1]}")

    def focus(self, window: str) -> None:
        """Give the window the keyboard."""
        self.close_boxes()
        self._activate(window)

    def close_boxes(self) -> None:
        """Close the message boxes that came up meanwhile: they take keys that are meant for others. Each is photographed."""
        for box in self.windows(MESSAGE):
            self.boxes.append(f"message-{len(self.boxes)}")
            self.shot(self.boxes[-1])
            print(f"a message box came up, see {self.boxes[-1]}.png", file=sys.stderr, flush=True)
            self._activate(box)
            self.keys("Escape")
            until(lambda box=box: box not in self.windows(MESSAGE), "the message box to close")

    def _activate(self, window: str) -> None:
        def active() -> bool:
            _xdotool("windowactivate", window)
            return _xdotool("getactivewindow").strip() == window or not _xdotool("getwindowname", window)  # gone meanwhile

        until(active, f"window {window} to get the focus")

    def keys(self, *keys: str) -> None:
        _xdotool("key", "--delay", "60", *keys)

    def slow_keys(self, *keys: str) -> None:
        """For menus, which unfold between two keys."""
        _xdotool("key", "--delay", "300", *keys)

    def click(self, window: str, x: int, y: int, *, button: int = 1) -> None:
        """Click at a place of the window."""
        self.focus(window)
        _xdotool("mousemove", "--window", window, str(x), str(y), "click", str(button))
        self._park()

    def double_click(self, title: str, x: int, y: int) -> None:
        """Click twice at a place of the window with this title; a negative `x` counts from its right edge."""
        window = self.window(title)
        self.focus(window)
        across = x if x >= 0 else self.size(title)[0] + x
        _xdotool("mousemove", "--window", window, str(across), str(y), "click", "--repeat", "2", "--delay", "80", "1")
        self._park()

    def size(self, title: str) -> tuple[int, int]:
        """Width and height in pixels of the window with this title."""
        shape = dict(line.split("=") for line in _xdotool("getwindowgeometry", "--shell", self.window(title)).split())
        return int(shape["WIDTH"]), int(shape["HEIGHT"])

    def type(self, text: str) -> None:
        _xdotool("type", "--delay", "15", text)

    def move_beside(self, window: str, place: tuple[int, int] = BESIDE) -> None:
        """Move a dialog to where the image and the layers are seen."""
        _xdotool("windowmove", window, *map(str, place))

    def _park(self) -> None:
        """Move the pointer to the right edge, where it raises no tooltip into the next picture and lights up no button."""
        _xdotool("mousemove", "9999", "600")

    def shot(self, name: str, window: str = "root") -> None:
        """Photograph the screen, or one window of it, when two looks in a row are alike or it does not come to rest: windows draw
        themselves late."""
        before = b""
        for _ in range(LOOKS):
            if (now := self._screen()) == before:
                break
            before = now
            self.rest(0.3)
        subprocess.run(["import", "-window", window, str(OUT / f"{name}.png")], check=True)

    def _screen(self) -> bytes:
        return subprocess.run(["import", "-window", "root", "rgb:-"], check=True, capture_output=True).stdout

    def plug_in_runs(self) -> bool:
        """Whether a procedure of ours is being carried out: each call is a process of its own."""
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and b"acetate-gimp.py" in (entry / "cmdline").read_bytes():
                    return True
        return False

    def wait_for_plug_in(self) -> None:
        """Until no procedure of ours runs any more: one that has closed its window may still select layers."""
        until(lambda: not self.plug_in_runs(), "the plug-in to end")

    def start(self, command: Command) -> None:
        """Start a procedure until it runs, after any other has ended."""
        self.wait_for_plug_in()
        self.call(command, self.plug_in_runs)

    def call(self, command: Command, effect: Callable[[], object]) -> None:
        """Call a procedure by its shortcut until there is an effect; where GIMP does not obey (3.2.6 shows it only), by menu."""
        for _ in range(round(PATIENCE / RETRY)):
            self.focus(self.main)
            _xdotool("key", "--delay", "300", *((*MENU, command.letter) if self._by_menu else (command.shortcut,)))
            if within(RETRY, effect):
                return
            self.keys("Escape", "Escape", "Escape")
            self._by_menu = not self._by_menu
        raise AssertionError(f"GIMP does not start {command}")

    def press(self, window: str, keys: str, effect: Callable[[], bool]) -> None:
        """Press `keys` in the window until there is an effect: it may be busy, or what they mean not possible yet."""
        for _ in range(round(PATIENCE / RETRY)):
            self.focus(window)
            self.keys(keys)
            if within(RETRY, effect):
                return
        raise AssertionError(f"nothing came of {keys}")

    def open(self, command: Command, title: str) -> str:
        """Start a procedure and return the id of the window that it opens, which has the keyboard then."""
        self.start(command)
        window = self.window(title)
        self.focus(window)
        return window

    def choose(self, command: Command, picture: str) -> None:
        """Choose a procedure from the menu by its underlined letter; take a picture of the menu."""
        for _ in range(round(PATIENCE / RETRY)):
            self.focus(self.main)
            closed = self._screen()
            _xdotool("key", "--delay", "300", *MENU)
            within(RETRY, lambda closed=closed: self._screen() != closed)
            self.shot(picture)
            self.keys(command.letter)
            if within(RETRY, self.plug_in_runs):
                return
            self.keys("Escape", "Escape", "Escape")
        raise AssertionError(f"the menu does not start {command}")

    def cancel_in_status_bar(self, before: bytes) -> None:
        """Click GIMP's Cancel. `before` is `status_bar()` without progress; the button lies at the right of what has changed.

        The clicks go from the middle of that to its right end, so they meet nothing but progress before they meet the button.
        """
        width, height = WINDOW

        def cancelled() -> bool:
            now = self._strip()
            spots = [i // 4 for i in range(0, len(now), 4) if now[i : i + 4] != before[i : i + 4]]
            if not spots:
                return not self.plug_in_runs()
            columns, rows = [spot % width for spot in spots], [spot // width for spot in spots]
            y = height - STATUS_BAR + (min(rows) + max(rows)) // 2
            for x in range((min(columns) + max(columns)) // 2, max(columns), BUTTON):
                _xdotool("mousemove", "--window", self.main, str(x), str(y), "click", "1")
                if within(0.2, lambda: not self.plug_in_runs()):
                    return True
            return bool(within(2.0, lambda: not self.plug_in_runs()))

        until(cancelled, "Cancel in the status bar to end the plug-in")
        self._park()

    def status_bar(self) -> bytes:
        """The pixels of the lower edge of GIMP's window, RGBA, as soon as they have come to rest."""
        self.fit()
        for _ in range(LOOKS):
            before = self._strip()
            self.rest()
            if before == (now := self._strip()):
                break
        return now

    def _strip(self) -> bytes:
        strip = f"{WINDOW[0]}x{STATUS_BAR}+0+{WINDOW[1] - STATUS_BAR}"
        command = ["import", "-window", self.main, "-crop", strip, "-depth", "8", "rgba:-"]
        return subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE).stdout

    def rest(self, seconds: float = 0.6) -> None:
        """Let a window finish drawing, or a list filling: both happen without a word to anybody outside."""
        time.sleep(seconds)


def _xdotool(*arguments: str) -> str:
    return subprocess.run(["xdotool", *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE).stdout
