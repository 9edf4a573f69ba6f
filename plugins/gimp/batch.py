"""Wait for a run without a dialog: the state in GIMP's progress display, an end for certain.

Does not know what is waited for.
"""

from __future__ import annotations

import contextlib
import queue
import time

from acetate.plugins.bridge.watch import HOPELESS
from acetate.plugins.bridge.words import duration, explained
from acetate.protocol import Client, Disconnected, HistoryEntry, HistoryPage
from gi.repository import Gimp

from .refused import RefusedError
from .run import Run

TICK = 0.1
"""Seconds between looks at the clock while no event comes."""


def follow(run: Run, client: Client, limit: float | None = None) -> list[Gimp.Layer]:
    """The new layers. Past `limit` seconds the job is stopped; a lost connection is given up earlier by the run itself."""
    deadline = time.monotonic() + limit if limit is not None else None
    while not run.over:
        with contextlib.suppress(queue.Empty):
            run.take(client.events.get(timeout=TICK))
        run.tick()
        if deadline is not None and time.monotonic() > deadline:
            run.stop()
            said = duration(limit or 0)
            raise RefusedError(
                f"There was no result within {said}, so the job was stopped. Set a larger time-limit, or fewer steps."
            )
    return run.finish()


def history_entry(client: Client, job: str, limit: float) -> HistoryEntry:
    """The finished job of that id in the server's history; the newest one for an empty id."""
    before: str | None = None
    deadline = time.monotonic() + limit
    while (page := _page(client, before, deadline)).entries:
        for entry in page.entries:
            if job in ("", entry.job):
                return entry
        before = page.entries[-1].job
    raise RefusedError(f"The history has no result {job}." if job else "The history is empty. Generate a layer first.")


def _page(client: Client, before: str | None, deadline: float) -> HistoryPage:
    client.history(before, thumbnails=False)
    while time.monotonic() < deadline:
        try:
            event = client.events.get(timeout=TICK)
        except queue.Empty:
            continue
        if isinstance(event, HistoryPage):
            return event
        if isinstance(event, Disconnected) and event.failure.code in HOPELESS:
            raise RefusedError(explained(event.failure))
    raise RefusedError("The server did not answer in time. Restart it: acetate serve")
