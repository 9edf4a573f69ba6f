"""What is answered over plain HTTP: health, readiness, metrics, status, and being told to stop. Knows the server's state; checks
no token.
"""

from __future__ import annotations

import base64
import http
import json
import os
import sqlite3
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from acetate.protocol.messages import VERSION
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from websockets.http11 import Response

from ..delivery.subscriber import Subscriber
from ..jobs.engine_state import NOTE, EngineState
from ..jobs.jobs import JobRegistry
from .lifetime import Lifetime
from .metrics import Metrics
from .requests import not_allowed, refuse, respond

Page = Callable[[str], Response]
"""Makes a page, given the URL's query."""


@dataclass(frozen=True)
class Pages:
    """All pages, by their paths. Whoever asks for a private one has shown a token."""

    jobs: JobRegistry
    engine: EngineState
    lifetime: Lifetime
    metrics: Metrics

    @property
    def names(self) -> str:
        return ", ".join([*self._public, *self._private, *self._orders])

    def public(self, method: str, target: str) -> Response | None:
        """The answer to a request that needs no token; `None` when the path is none of these."""
        return _answer(self._public, ("GET", "HEAD"), method, target)

    def private(self, method: str, target: str) -> Response | None:
        """The answer to a request that needs a token; `None` when the path is none of these."""
        reading = _answer(self._private, ("GET", "HEAD"), method, target)
        return reading or _answer(self._orders, ("POST",), method, target)

    def is_for_admins(self, target: str) -> bool:
        """Whether the page shows what others do, or ends the server."""
        return target.partition("?")[0] in {"/status", *self._orders}

    @property
    def _public(self) -> Mapping[str, Page]:
        return {"/healthz": self._health, "/readyz": self._readiness}

    @property
    def _private(self) -> Mapping[str, Page]:
        return {"/metrics": self._metrics, "/status": self._status, "/preview": self._preview}

    @property
    def _orders(self) -> Mapping[str, Page]:
        return {"/stop": self._stop}

    # --- the pages ---------------------------------------------------------------------------------------------------

    def _health(self, query: str) -> Response:
        """Whether the process answers at all."""
        queue = sum(map(len, self.jobs.queues.values()))
        said = {"version": self.lifetime.version, "protocol": VERSION, "queue": queue, "engine": self.engine.message.state}
        return _json(http.HTTPStatus.OK, said)

    def _readiness(self, query: str) -> Response:
        """Whether a job that is sent here now would be run."""
        reasons = []
        if self.lifetime.stopping:
            reasons.append("the server stops")
        try:
            self.jobs.store.note(NOTE)
        except sqlite3.Error:
            reasons.append("the database cannot be read")
        if self.engine.message.state == "failed":
            reasons.append("no device works")
        status = http.HTTPStatus.SERVICE_UNAVAILABLE if reasons else http.HTTPStatus.OK
        return _json(status, {"ready": not reasons, "reasons": reasons})

    def _metrics(self, query: str) -> Response:
        return respond(http.HTTPStatus.OK, self.metrics.page(), CONTENT_TYPE_PLAIN_0_0_4)

    def _status(self, query: str) -> Response:
        """What `acetate status` shows."""
        clients = sorted(self.engine.watchers, key=lambda client: client.name)
        return _json(
            http.HTTPStatus.OK,
            {
                "version": self.lifetime.version,
                "protocol": VERSION,
                "pid": os.getpid(),
                "since": round(self.lifetime.since, 3),
                "stopping": self.lifetime.stopping,
                "engine": self.engine.message.state,
                "devices": [{"device": name, "state": state} for name, state in devices(self.engine)],
                "waiting_jobs": {lane: len(queue) for lane, queue in self.jobs.queues.items()},
                "running_jobs": sorted(self.jobs.drain.running),
                "clients": [_client(client) for client in clients],
                "memory_bytes": _memory(),
            },
        )

    def _preview(self, query: str) -> Response:
        """The picture beside a LoRA's file, made small: `/preview?lora=NAME`."""
        from acetate.engine.files.previews import thumbnail  # not before someone looks

        names = urllib.parse.parse_qs(query).get("lora", [])
        path = self.engine.preview_of(names[0]) if len(names) == 1 else None
        picture = thumbnail(path) if path is not None else None
        if picture is None:
            return refuse(http.HTTPStatus.NOT_FOUND, "no picture lies beside that LoRA")
        return _json(http.HTTPStatus.OK, {"type": "image/jpeg", "base64": base64.b64encode(picture).decode()})

    def _stop(self, query: str) -> Response:
        """End as SIGTERM would; `?now` does not wait for jobs, `?restart` starts again with the same command line."""
        words = query.split("&") if query else []
        if unknown := [word for word in words if word not in ("now", "restart")]:
            return refuse(http.HTTPStatus.BAD_REQUEST, f"/stop takes now and restart, not {unknown[0]!r}")
        self.lifetime.stop("asked to", now="now" in words, restart="restart" in words)
        seconds = 0 if "now" in words else self.jobs.settings.drain_seconds
        said = {"pid": os.getpid(), "running": sorted(self.jobs.drain.running), "seconds": seconds}
        return _json(http.HTTPStatus.ACCEPTED, said)


def devices(engine: EngineState) -> list[tuple[str, str]]:
    """Each device with its state; of two with the same name the second has a number."""
    names = [device.name for device in engine.devices]
    counted = [
        f"{name} #{number}" if (number := names[: index + 1].count(name)) > 1 else name for index, name in enumerate(names)
    ]
    return [(name, device.state) for name, device in zip(counted, engine.devices, strict=True)]


def _answer(pages: Mapping[str, Page], methods: tuple[str, ...], method: str, target: str) -> Response | None:
    path, _, query = target.partition("?")
    if (page := pages.get(path)) is None:
        return None
    return page(query) if method in methods else not_allowed(method, ", ".join(methods))


def _json(status: http.HTTPStatus, said: Mapping[str, Any]) -> Response:
    return respond(status, json.dumps(said) + "\n", "application/json")


def _client(client: Subscriber) -> dict[str, str]:
    return {"client": client.name, "session": client.session}


def _memory() -> int:
    """The bytes that the server and its workers hold; what they share counts in each."""
    import psutil

    own = psutil.Process()
    total: int = own.memory_info().rss
    for child in own.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.Error:
            continue  # it has just ended
    return total
