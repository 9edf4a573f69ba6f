"""What is told about the connection to the server: a few words while there is none, why, and what it is connected to.

Knows the protocol's events; knows no widget. A connection that is back in a moment is no failure: the client says when it is time
to tell (`Disconnected.settled`).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from urllib.parse import urlsplit

from acetate.protocol import Connected, Disconnected, Engine, Event, Failure, Starting

from ..translations import _

log = logging.getLogger(__name__)

LOCAL = ("127.0.0.1", "localhost", "::1")


class ConnectionStatus:
    """Feed it every event with `take`; read the rest. `by_hand` is what a person types to start a server."""

    def __init__(self, by_hand: str) -> None:
        self._by_hand = by_hand
        self.text = _("Looking for the server")
        """A few words while there is no connection; empty while there is one."""
        self.failure: Failure | None = None
        """Why there is no connection, once that is to be told."""
        self.engine: Engine | None = None
        """What the last server has said of its engine."""
        self._server = ""
        self._was_connected = False

    def take(self, event: Event) -> Failure | None:
        """Take in an event; returns the failure that is to be shown now: each once, until there was a connection."""
        if isinstance(event, Connected):
            self._was_connected, self.text, self.failure = True, "", None
            log.info("connected to %s", event.welcome.server)
            self._server, self.engine = event.welcome.server, event.welcome.engine
        elif isinstance(event, Engine):
            self.engine = event
        elif isinstance(event, Starting):
            self.text = _("Starting the Acetate server")
        elif isinstance(event, Disconnected):
            return self._disconnected(event)
        return None

    def forget(self) -> None:
        """The person tries again: why there is no connection will be told anew."""
        self.failure = None
        self.text = _("Looking for the server") if self.text else ""

    def line(self, url: str = "") -> str:
        """Server, device and model, such as `This computer · cuda:0 · sketchpad`; empty without a connection."""
        if self.text or self.engine is None:
            return ""
        host = urlsplit(url).hostname or ""
        parts = [_("This computer") if host in (*LOCAL, "") else host, *self._devices()]
        return " · ".join(part for part in parts if part)

    def details(self, url: str = "") -> str:
        """The same at length, for a tool tip: also the server's version, its address, and what does not work."""
        if self.text or self.engine is None:
            return self.text
        lines = [self._server, url]
        for device in self.engine.devices:
            state = device.failure.message if device.failure is not None else _STATES[device.state]()
            lines.append(": ".join(part for part in (device.name, device.model, state) if part))
        return "\n".join(line for line in lines if line)

    def _devices(self) -> list[str]:
        """The devices and, where there is one, the model that lies on it."""
        assert self.engine is not None
        if not self.engine.devices:
            return [self.engine.device]
        device = next((one for one in self.engine.devices if one.state == "ready"), self.engine.devices[0])
        more = len(self.engine.devices) - 1
        named = f"{device.name} + {more}" if more else device.name
        return [named, device.model if device.state == "ready" else _STATES[device.state]()]

    def _disconnected(self, event: Disconnected) -> Failure | None:
        failure = event.failure
        if not event.settled:
            self.text = _("Reconnecting") if self._was_connected else _("Looking for the server")
            return None
        if failure.code in ("no-server", "cannot-start"):
            self.text = _("No server is running")
            if failure.code == "no-server":  # the other one says which command failed
                failure = replace(failure, hint=_("Start it in a terminal: {command}").format(command=self._by_hand))
        else:
            self.text = _("Not connected") if event.retry_in is None else _("No connection")
        log.info("not connected: %s", failure)
        told, self.failure = self.failure, failure
        return None if told == failure else failure


_STATES = {"starting": lambda: _("starting"), "ready": lambda: _("ready"), "failed": lambda: _("out of order")}
