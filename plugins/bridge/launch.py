"""The command that starts the server, as recorded when the plug-in was installed. Starts nothing."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

PLUGIN = Path(__file__).absolute().parents[4]
"""The folder that the editor knows as the plug-in: it holds the zip that our package lies in."""
RECORD = PLUGIN / "launch.json"
"""The file that holds the command; a plug-in that was not installed by us has none."""
FLATPAK = Path("/.flatpak-info")
"""A file that exists only inside a Flatpak, which may not see the programs of the machine."""
UNTIL_IDLE = "--until-idle"
"""The server's option to end when nobody needs it any more; who starts one by hand ends it by hand."""
BY_HAND = "acetate serve"
"""What a person types to start the server when nothing is recorded."""


def server_command(record: Path = RECORD, *, sandbox: Path = FLATPAK) -> list[str] | None:
    """The recorded command if its program is still there, else `acetate` on the search path, else `None`."""
    command = recorded(record)
    if command and (sandbox.exists() or shutil.which(command[0])):
        return command
    found = shutil.which("acetate")
    return [found, "serve", UNTIL_IDLE] if found else None


def by_hand(record: Path = RECORD) -> str:
    """What a person types in a terminal, which may see programs that the editor does not."""
    command = recorded(record)
    return shlex.join(word for word in command if word != UNTIL_IDLE) if command else BY_HAND


def recorded(record: Path) -> list[str] | None:
    """The command in a plug-in's launch file; `None` if there is no usable one."""
    try:
        command = json.loads(record.read_text(encoding="utf-8"))["command"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return command if isinstance(command, list) and command and all(isinstance(word, str) for word in command) else None
