"""GIMP on a private screen, with a keyboard, a camera and a probe that answers questions about its images.

Runs inside the tree, in a Python of its own beside GIMP; the windows are driven as a person drives them.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OUT = Path(os.environ["OUT"])
PATIENCE = 40.0
FIRST_START = 200.0
"""GIMP's first start in a fresh profile asks a hundred plug-ins for their procedures."""


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait for something that another program does; there is nothing to be notified by."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.05)
    return found


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
        self.main = self.window("GNU Image Manipulation Program|.* – GIMP$", FIRST_START)
        assert self.ask("answer = 1") == 1
        self._park()

    def close(self) -> None:
        self._gimp.terminate()
        self._gimp.wait(20)
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
        """Close the windows with this title, if there are any."""
        for window in self.windows(title):
            self.focus(window)
            self.keys("Escape")
        self.gone(title)

    def focus(self, window: str) -> None:
        _xdotool("windowactivate", "--sync", window)

    def keys(self, *keys: str) -> None:
        _xdotool("key", "--delay", "60", *keys)

    def type(self, text: str) -> None:
        _xdotool("type", "--delay", "15", text)

    def click(self, window: str, place: tuple[int, int]) -> None:
        self.focus(window)
        _xdotool("mousemove", "--window", window, *map(str, place), "click", "1")
        self._park()

    def _park(self) -> None:
        """Move the pointer to where it raises no tooltip into the next picture."""
        _xdotool("mousemove", "1390", "60")

    def shot(self, name: str, window: str = "root") -> None:
        subprocess.run(["import", "-window", window, str(OUT / f"{name}.png")], check=True)

    def open(self, letter: str, title: str) -> str:
        """Choose a command and return the id of the window that it opens."""
        self.choose(letter)
        return self.window(title)

    def choose(self, letter: str) -> None:
        """Choose from Filters > Acetate, the last entry of that menu, by the underlined letter."""
        self.focus(self.main)
        self.rest(0.2)
        _xdotool("key", "--delay", "200", "alt+r", "Up", "Right", letter)

    def rest(self, seconds: float = 0.6) -> None:
        """Let a window finish drawing, or a list filling: both happen without a word to anybody outside."""
        time.sleep(seconds)


def _xdotool(*arguments: str) -> str:
    return subprocess.run(["xdotool", *arguments], capture_output=True, text=True, check=False).stdout


@contextmanager
def desk(*files: Path) -> Iterator[Desk]:
    at = Desk(*files)
    try:
        yield at
    except BaseException:
        at.shot("failed")
        raise
    finally:
        at.close()
