"""The command that starts the server, as recorded when the plug-in was installed. Starts nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from acetate.protocol.client.server_discovery import pasted

from .translations import _

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
    return pasted([word for word in command if word != UNTIL_IDLE]) if command else BY_HAND


def remedy(editor: str, record: Path = RECORD, *, sandbox: Path = FLATPAK) -> str:
    """What to do where no server runs and none could be started; `editor` is what `acetate plugin install` calls it."""
    command = recorded(record)
    if command and not sandbox.exists() and shutil.which(command[0]) is None:
        text = _(
            "The program that starts it, {program}, is not there any more. Install Acetate again, or type in a terminal of the "
            "place where it is now: acetate plugin install {editor}"
        )
        return text.format(program=command[0], editor=editor)
    return _("Start it in a terminal: {command}").format(command=by_hand(record))


def recorded(record: Path) -> list[str] | None:
    """The command in a plug-in's launch file; `None` if there is no usable one."""
    try:
        command = json.loads(record.read_text(encoding="utf-8"))["command"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return command if isinstance(command, list) and command and all(isinstance(word, str) for word in command) else None
