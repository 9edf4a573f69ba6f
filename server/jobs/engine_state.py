"""What the engine says about itself, for every connected client; remembered for the next start. Runs nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from acetate.protocol import Failure
from acetate.protocol import messages as wire

from ..delivery.subscriber import Subscriber
from ..storage.store import Store

log = logging.getLogger(__name__)

NOTE = "engine"


class EngineState:
    """Holds the current `engine` message. A client that connects before torch is imported sees the models of the last run."""

    def __init__(self, store: Store, preload: tuple[str, ...] = ()) -> None:
        self._store = store
        self._preloads = preload
        self.watchers: set[Subscriber] = set()
        known = store.note(NOTE)
        description = known if isinstance(known, dict) else {}
        self.message = _message("starting", description)
        self.usable = True
        """Whether to start it unasked. After several failed starts only a job makes the server try again."""

    def ready(self, device: str, description: Mapping[str, Any]) -> None:
        """Take in an engine's description, tell everyone, and remember it for the next start."""
        self.usable = True
        self._set(_message("ready", {**description, "device": device}))
        self._store.set_note(NOTE, dict(description))

    def failed(self, failure: Failure) -> None:
        """Tell everyone that there is no engine, and why."""
        log.error("no engine", extra={"reason": str(failure)})
        self.usable = False
        self._set(wire.Engine("failed", self.message.device, self.message.models, self.message.tasks, failure=failure))

    def take_preloads(self) -> tuple[str, ...]:
        """The models to load beforehand; none the second time."""
        wanted, self._preloads = self._preloads, ()
        return wanted

    def _set(self, message: wire.Engine) -> None:
        if message == self.message:
            return
        self.message = message
        for watcher in self.watchers:
            watcher.tell(message)


def _message(state: wire.EngineStateName, description: Mapping[str, Any]) -> wire.Engine:
    details = {name: value for name, value in description.items() if name not in ("device", "models", "tasks")}
    return wire.Engine(
        state, str(description.get("device", "")), tuple(description.get("models", ())), description.get("tasks", {}), details
    )
