"""Where the running server's state file lies, and what it says. Knows the three platforms, Flatpak and Snap; opens no socket.

Editors from a sandbox see their own XDG folders and HOME; the server does not. So both sides use the person's real folder.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Address:
    """How to reach a server: `ws://` or `wss://` URL, bearer token, and for TLS optionally the file of its certificate."""

    url: str
    token: str
    cafile: str | None = None


@dataclass(frozen=True)
class RunningServer:
    """The state file `server.json`, written by the server at start with mode 0600."""

    address: Address
    pid: int
    protocol: int
    until_idle: bool = False
    """Whether an editor has started it, so that an editor may replace it by a newer one."""


def home() -> Path:
    """The folder of the server's state; `ACETATE_HOME` overrides it."""
    if chosen := os.environ.get("ACETATE_HOME"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "acetate"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "acetate"
    if real_home := os.environ.get("SNAP_REAL_HOME"):
        return Path(real_home) / ".local" / "state" / "acetate"
    # Inside Flatpak XDG_STATE_HOME points into ~/.var/app; HOME is still the person's.
    chosen = None if os.path.exists("/.flatpak-info") else os.environ.get("XDG_STATE_HOME")
    return (Path(chosen) if chosen else Path.home() / ".local" / "state") / "acetate"


def state_file() -> Path:
    """The file that says where the running server is."""
    return home() / "server.json"


def running_server() -> RunningServer | None:
    """What the state file says; `None` without one. The server it names may have died: only connecting tells."""
    try:
        said = json.loads(state_file().read_text(encoding="utf-8"))
        address = Address(said["url"], said["token"], said.get("cafile"))
        return RunningServer(address, said["pid"], said["protocol"], said.get("until_idle") is True)
    except (OSError, ValueError, KeyError, TypeError):
        return None
