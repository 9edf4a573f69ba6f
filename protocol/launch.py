"""Start `acetate serve` in the background, from inside an editor. Knows what must not be inherited; knows no protocol."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .home import home

_OWN = ("PYTHON", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_", "QT_", "GI_TYPELIB_PATH", "APPDIR", "APPIMAGE", "GEGL_", "BABL_")
"""Prefixes of variables that an editor's bundle sets for itself and that break another program's Python."""


_children: list[subprocess.Popen[bytes]] = []
"""Servers that this process has started: kept, as nobody waits for them; asked now and then, so that none stays a zombie."""


def start_server(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start the server detached: it outlives the editor. What it prints goes to `output_file()`."""
    home().mkdir(parents=True, exist_ok=True, mode=0o700)
    arguments = list(command)
    if os.path.exists("/.flatpak-info"):
        arguments = ["flatpak-spawn", "--host", *arguments]
    _children[:] = [child for child in _children if child.poll() is None]
    with output_file().open("wb") as output:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=clean_environment(os.environ),
            cwd=Path.home(),
            start_new_session=sys.platform != "win32",
            creationflags=_windows_flags(),
        )
    _children.append(process)
    return process


def output_file() -> Path:
    return home() / "serve.out"


def last_words() -> str:
    """The last line that a server which did not come up has printed, or that there is none."""
    try:
        lines = output_file().read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1][:500] if lines else "it said nothing"


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what belongs to the editor's own bundle."""
    return {name: value for name, value in environment.items() if not name.startswith(_OWN)}


def _windows_flags() -> int:
    if sys.platform != "win32":
        return 0
    return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
