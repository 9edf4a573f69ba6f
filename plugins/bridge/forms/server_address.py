"""Which server an editor works with: the one on this computer, or one that a person has named. Kept for both editors alike, in
a file that only the person can read, as it holds a token."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from acetate.protocol import Address, ProtocolError, home, running_server
from acetate.protocol.client.server_requests import look

from ..translations import _, said
from ..words import explained

FILE = "editors.json"


def chosen_server() -> Address | None:
    """The server that was named; `None` for the one on this computer, also where the file cannot be read."""
    try:
        kept = json.loads(_file().read_text(encoding="utf-8"))
        url, token, cafile = kept["url"], kept["token"], kept.get("cafile")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    texts = isinstance(url, str) and isinstance(token, str) and (cafile is None or isinstance(cafile, str))
    return Address(url, token, cafile) if texts else None


def present_server() -> Address | None:
    """The server that an editor works with; `None` while none runs on this computer."""
    if (chosen := chosen_server()) is not None:
        return chosen
    running = running_server()
    return running.address if running is not None else None


def choose_server(address: Address | None) -> None:
    """Keep the choice. Raises `OSError` where the file cannot be written."""
    if address is None:
        with contextlib.suppress(FileNotFoundError):
            _file().unlink()
        return
    _file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = _file().with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):  # another's rights would stay
        fresh.unlink()
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({"url": address.url, "token": address.token, "cafile": address.cafile}, file)
    fresh.replace(_file())


def read_address(url: str, token: str, cafile: str = "") -> Address:
    """What a person has typed as an address: `http` is taken for `ws`, and a name alone for `ws://`.

    Raises `ProtocolError` with what is wrong, in a sentence.
    """
    url, token = url.strip(), token.strip()
    scheme, separator, rest = url.rpartition("://")
    url = f"{ {'': 'ws', 'http': 'ws', 'https': 'wss'}.get(scheme.lower(), scheme) }://{rest}" if rest else ""
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("ws", "wss") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        named = False
    if not named:
        raise ProtocolError(
            "no-server", _("“{url}” is no server's address").format(url=rest or url), _("It looks like ws://192.168.1.20:22380/.")
        )
    if not token:
        raise ProtocolError(
            "unauthorized", _("the token is missing"), _("On the server's computer, acetate token add NAME prints one.")
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ProtocolError("unauthorized", _("the token has blanks or letters that no token has"), _("Paste it again."))
    if cafile and not Path(cafile).is_file():
        raise ProtocolError("no-server", _("there is no certificate at {path}").format(path=cafile))
    return Address(url, token, cafile or None)


def try_server(address: Address | None) -> tuple[bool, str]:
    """Whether the server works, and what to say of it: a sentence about the server, or what is wrong with what would help.

    Asks over the network and may take seconds: call it on a thread. `None` is the server on this computer.
    """
    if address is None:
        running = running_server()
        if running is None:
            return True, _("No server runs on this computer; one is started when it is needed.")
        address = running.address
    try:
        seen = look(address)
    except ProtocolError as error:
        failure = error.failure
        return False, explained(replace(failure, message=said(failure.message), hint=said(failure.hint)))
    if seen.engine == "failed":
        return False, _("The server {version} answers, but no device works there.").format(version=seen.version)
    return True, _("The server {version} answers.").format(version=seen.version)


def _file() -> Path:
    return home() / FILE
