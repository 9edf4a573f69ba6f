"""Where the running server's state file lies, and what it says. Knows the three platforms, Flatpak and Snap; opens no socket.

Editors from a sandbox see their own XDG folders and HOME; the server does not. So both sides use the person's real folder.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from .errors import ProtocolError

URL, TOKEN, CAFILE = "ACETATE_URL", "ACETATE_TOKEN", "ACETATE_CAFILE"
"""The variables that name a server on another computer, or whose token has a name."""


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


def chosen_address() -> Address | None:
    """The server that `ACETATE_URL` and `ACETATE_TOKEN` name, on whichever computer; `None` without them.

    `ACETATE_CAFILE` is the file of its certificate. Raises `ProtocolError` for a URL without a token.
    """
    if not (url := os.environ.get(URL)):
        return None
    if not (token := os.environ.get(TOKEN)):
        raise ProtocolError("unauthorized", f"{URL} is set, but not {TOKEN}", "Set it to what acetate token add has printed.")
    return Address(url, token, os.environ.get(CAFILE) or None)


def running_server() -> RunningServer | None:
    """What the state file says; `None` without one, and for one that is wrong or was written by somebody else.

    The server it names may have died, and another program may listen on its port: `answers` tells.
    """
    try:
        with state_file().open(encoding="utf-8") as file:
            if not _is_own(file.fileno()):
                return None
            said = json.load(file)
        url, token, cafile, pid, protocol = (said.get(name) for name in ("url", "token", "cafile", "pid", "protocol"))
    except (OSError, ValueError, AttributeError):
        return None
    texts = isinstance(url, str) and isinstance(token, str) and (cafile is None or isinstance(cafile, str))
    if not texts or type(pid) is not int or type(protocol) is not int:
        return None
    return RunningServer(Address(url, token, cafile), pid, protocol, said.get("until_idle") is True)


def _is_own(file: int) -> bool:
    """Whether an open file belongs to this person, or to the computer's administrator, where files have owners."""
    return sys.platform == "win32" or os.fstat(file).st_uid in (os.geteuid(), 0)
