"""What a job needs before it is accepted, and what the history says about it afterwards. Knows the store; runs nothing."""

from __future__ import annotations

import asyncio

from acetate.protocol import Failure, HistoryEntry, ProtocolError, schema
from acetate.protocol import messages as wire
from acetate.protocol.frames import SENT_PART_BYTES
from acetate.protocol.pixels import MAX_PIXELS
from acetate.vocabulary.verdict import of_task

from ..delivery.subscriber import Subscriber
from ..storage.blobs import Blobs
from ..storage.rows import JobRow
from ..storage.store import Store
from .job import Submission, inputs
from .jobs import JobRegistry

PAGE_BYTES = SENT_PART_BYTES
"""A page of history with long prompts or many layers ends early: a frame of 1 MiB is what every websocket library takes."""

EXPORTABLE = ("finished", "failed", "cancelled")
"""The states in which a job can be exported: a failed or cancelled one may have layers, too."""


class MissingImagesError(Exception):
    """The client has to upload these contents, then submit again."""

    def __init__(self, sha256: tuple[str, ...]) -> None:
        self.failure = Failure("unknown-image", f"{len(sha256)} pictures of the job are missing: {', '.join(sha256)[:200]}")
        self.sha256 = sha256
        super().__init__(str(self.failure))


def check_order(watcher: Subscriber, order: Submission, store: Store, blobs: Blobs) -> None:
    """Raise `MissingImagesError` or `ProtocolError` for what can be seen to be wrong without the engine."""
    missing = tuple(
        placed.sha256 for placed in inputs(order) if not blobs.has(placed.sha256) or store.blob(placed.sha256) is None
    )
    if missing and store.get(order.job) is None:
        raise MissingImagesError(missing)
    if isinstance(order, wire.Submit):
        _check_submit(order, store)
    elif isinstance(order, wire.Export):
        for source in order.jobs:
            if (row := store.get(source)) is None or not watcher.sees(row.person):
                raise ProtocolError("unknown-job", f"export.jobs names {source}, which is not in the history")
            if row.state not in EXPORTABLE:
                raise ProtocolError("bad-request", f"export.jobs names {source}, which is {row.state}; it must be over")
        layers = [layer for source in order.jobs for layer in store.layers(source)]
        if not layers:
            raise ProtocolError("bad-request", "export.jobs names no job that has layers")
        if order.pictures and not any(layer.picture in order.pictures for layer in layers):
            raise ProtocolError("bad-request", "export.pictures names no picture of these jobs", "It may have been deleted.")


def _check_submit(order: wire.Submit, store: Store) -> None:
    if wrong := of_task(order.task):
        raise ProtocolError("bad-request", wrong.message, wrong.hint)
    if (box := order.box) is not None and box.width * box.height > MAX_PIXELS:
        raise ProtocolError("too-large", f"submit.box is {box.width} x {box.height}; at most {MAX_PIXELS} pixels are allowed")
    for placed in inputs(order):
        blob = store.blob(placed.sha256)
        if blob is not None and blob.format == "file":
            raise ProtocolError("bad-request", f"a condition is the file {placed.sha256}; it must be a picture")


async def tell_history(watcher: Subscriber, store: Store, asked: wire.ListHistory) -> None:
    """Send a page of history: thumbnails first, then the entries. Everybody else has a turn after each."""
    rows = store.history(asked.before, asked.limit + 1, watcher.sees_only)
    entries: list[HistoryEntry] = []
    size = 0
    for row in rows[: asked.limit]:
        small = store.thumbnails(row.job) if asked.thumbnails else {}
        entry = _entry(row, store, thumbnail=bool(small))
        size += len(schema.dump(schema.encode(entry)).encode())
        if entries and size > PAGE_BYTES:
            break
        for index, thumbnail in small.items():
            watcher.show_thumbnail(row.job, index, thumbnail)
        entries.append(entry)
        await asyncio.sleep(0)
    watcher.tell(wire.History(tuple(entries), more=len(entries) < len(rows)))


def tell_jobs(watcher: Subscriber, jobs: JobRegistry, asked: wire.ListJobs) -> None:
    """Send a page of what runs, waits or is not acknowledged."""
    lines = jobs.lines(watcher, asked.before, asked.limit + 1)
    page: list[wire.JobLine] = []
    size = 1000
    for line in lines[: asked.limit]:
        size += len(schema.dump(schema.encode(line)).encode()) + 1
        if size > PAGE_BYTES:
            break
        page.append(line)
    watcher.tell(wire.Jobs(tuple(page), more=len(page) < len(lines)))


def _entry(row: JobRow, store: Store, *, thumbnail: bool) -> HistoryEntry:
    layers, starred = store.layers(row.job), store.starred(row.job)
    summaries = tuple(wire.summary_of(layer, starred=layer.index in starred) for layer in layers)
    parameters = row.message.get("parameters", {})
    return HistoryEntry(row.job, row.task, row.finished or row.created, parameters, layers[0].box, summaries, thumbnail)
