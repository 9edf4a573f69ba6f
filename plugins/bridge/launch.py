"""The command that starts the server, as recorded when the plug-in was installed. Starts nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

RECORD = Path(__file__).absolute().parents[2] / "launch.json"
"""In the plug-in's package; a plug-in from a zip has none."""
BY_HAND = "acetate serve"
"""What a person types to start the server."""


def server_command(record: Path = RECORD) -> list[str] | None:
    """The recorded command if its program is still there, else `acetate` on the search path, else `None`."""
    try:
        command = json.loads(record.read_text(encoding="utf-8"))["command"]
        if isinstance(command, list) and all(isinstance(word, str) for word in command) and shutil.which(command[0]):
            return command
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        pass
    found = shutil.which("acetate")
    return [found, "serve"] if found else None
