"""GIMP's configuration folder: having GIMP make it before anybody has started GIMP, and what GIMP remembers in it of our plug-in.

Knows GIMP's programs and its `pluginrc`; does not know what a plug-in consists of.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CONSOLE = "gimp-console-3*"
"""What GIMP 3 without windows is called, on the search path and inside GIMP's own folders."""
FIRST_START = ("--new-instance", "--no-interface", "--no-data", "--no-fonts", "--quit")
"""The options of a start that makes the folder and ends. GIMP takes its older settings over then, which it does only into a
folder that is not there: so we never make that folder ourselves."""
SECONDS = 180.0
"""The most that a first start may take: GIMP asks each of its hundred plug-ins who it is."""

_PART = re.compile(r'"(?:\\.|[^"\\])*"|#[^\n]*|[()]')
"""What counts in the text of a `pluginrc`: texts, comments, and the brackets outside of both."""


def made_by_gimp() -> bool:
    """Start each GIMP 3 on this machine once without a window, so that it makes its folder; whether there is one at all."""
    programs = consoles()
    for program in programs:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            command = [str(program), *FIRST_START]
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    return bool(programs)


def consoles() -> list[Path]:
    """Every GIMP 3 without windows, once."""
    folders = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    if sys.platform == "win32":
        folders += Path(os.environ.get("PROGRAMFILES", r"C:\Program Files")).glob("GIMP 3*/bin")
    elif sys.platform == "darwin":
        folders += Path("/Applications").glob("GIMP*.app/Contents/MacOS")
    found = (program for folder in folders for program in sorted(folder.glob(CONSOLE)) if os.access(program, os.X_OK))
    return list({program.resolve(): program for program in found}.values())


def forget(root: Path, folder: str) -> None:
    """Take the entry of the plug-in in `folder` out of the `pluginrc` of the configuration folder `root`.

    GIMP remembers what it found there, even that a plug-in did not start; without the entry it asks this one plug-in again.
    """
    path = root / "pluginrc"
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return
    kept = without_plug_in(text, folder)
    if kept != text:
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        unfinished.write_bytes(kept.encode("utf-8", "surrogateescape"))
        unfinished.replace(path)


def without_plug_in(text: str, folder: str) -> str:
    """The text of a `pluginrc` without what is said about the plug-in in `folder`; every other byte stays as it is."""
    ours = re.compile(r'\(plug-in-def\s+"[^"]*[/\\]' + re.escape(folder) + r'[/\\][^"]*"')
    kept, place = [], 0
    for start, end in _entries(text):
        if ours.match(text, start):
            kept.append(text[place:start])
            place = end
    return "".join(kept) + text[place:]


def _entries(text: str) -> Iterator[tuple[int, int]]:
    """Where each outermost bracket begins and ends; one that is never closed is none."""
    depth, start = 0, 0
    for part in _PART.finditer(text):
        if part[0] == "(":
            start = part.start() if depth == 0 else start
            depth += 1
        elif part[0] == ")" and depth:
            depth -= 1
            if depth == 0:
                yield start, part.end()
