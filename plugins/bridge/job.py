"""A job's way from the click to the layer: refuse, read, submit, wait, insert as one undo step, acknowledge.

A state machine: the client's events and the clock come in by `take` and `tick`, the actions go out to the client and, through
the port `EditorHost`, to the editor. Knows no editor and no widget, waits for nothing, and starts no thread.

    reading ──> waiting ──> [ready] ──> inserting ──> over        a generation; the history and files begin with *waiting*
                   └──────> writing ────────────────> over        an export
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from acetate.protocol import Client, Condition, Event, FileReady, Image, LayerReady, new_job_id
from acetate.vocabulary.layered_files import INSERTED, SAVED

from . import files
from .form import Form
from .host import DocumentClosedError, EditorHost, JobPlan, RefusedError, UnwantedError, Wording, Work
from .job_status import HOPELESS, JobStatus
from .pending import PendingResult
from .stack import moved_to, picked, stacked
from .translations import _

log = logging.getLogger(__name__)

TOO_SMALL = 16
"""A side, in pixels, in which a model's picture of several hundred leaves nothing that could be seen."""


PART_BYTES = 1 << 22
"""What is looked through at once: a few milliseconds. All of 4096 x 4096 pixels would be 130 (Krita 5.2.9)."""


class EditorJobs:
    """All jobs of one client. `connect` returns the client, after connecting it if necessary."""

    def __init__(self, host: EditorHost, connect: Callable[[], Client], clock: Callable[[], float] = time.monotonic) -> None:
        self._host, self._connect, self._clock = host, connect, clock
        self._waiting: dict[str, PendingResult] = {}
        """The results whose events matter, by job."""
        self._next: dict[str, list[PendingResult]] = {}
        """Results of jobs that are being told already, for another purpose: they are asked for afterwards."""
        self._finished: list[PendingResult] = []
        """The results that have arrived and are not in their documents yet."""
        self.generations: list[PendingResult] = []
        """The generations that run and wait, in the order of asking, each from the click until its result is in the document or
        waits to be chosen."""

    @property
    def generation(self) -> PendingResult | None:
        """The generation to show: the first that runs, else the first that waits; `None` without any."""
        return next((one for one in self.generations if one.status.running), next(iter(self.generations), None))

    @property
    def ready(self) -> list[PendingResult]:
        """The results that wait for the artist's choice or for his free hand, oldest first."""
        return [one for one in self._finished if one.ready]

    # --- what an artist asks for -------------------------------------------------------------------------------------

    def generate(self, document: Any, form: Form, planned: Callable[[], JobPlan]) -> PendingResult:
        """Ask for the form as `planned` says; what was asked for before goes on. Raises `RefusedError`."""
        self._host.check(document)
        plan = planned()
        self._connect()
        status = JobStatus(new_job_id(), patient=self._host.lost_seconds is None)
        status.text = _(self._host.wording.sending if plan.source is None else self._host.wording.reading)
        result = PendingResult(status, document, plan, form, state="reading")
        self.generations.append(result)
        self._host.notify(result)
        self._host.later(reading(self._host, result), lambda pictures, error: self._submit(result, pictures, error))
        return result

    def insert_again(
        self, job: str, document: Any, planned: Callable[[], JobPlan], *, without: Sequence[int] = ()
    ) -> PendingResult:
        """Put a finished job of the history into the document, `without` its layers of these numbers. The same that is on its
        way already comes once; another part of the job comes after it. Raises `RefusedError`."""
        self._host.check(document)
        result = PendingResult(JobStatus(job), document, planned(), without=tuple(without))
        return self._attach(result)

    def look(self, job: str, then: Callable[[Sequence[LayerReady]], None], *, without: Sequence[int] = (), format: str) -> None:
        """Fetch the layers of a finished job to be looked at, `without` those of these numbers; `then` gets none of them where
        they cannot be had."""
        self._attach(PendingResult(JobStatus(job), plan=JobPlan(format=format), without=tuple(without), shows=then))

    def insert_file(self, path: Path, document: Any, planned: Callable[[], JobPlan]) -> PendingResult:
        """Put the layers of a file into the document. Raises `RefusedError`; what cannot be read ends the result."""
        self._host.check(document)
        if path.suffix.lower() not in INSERTED:
            raise RefusedError(_said(self._host.wording.foreign_file, path))
        result = PendingResult(JobStatus(new_job_id()), document, planned(), state="reading")
        self._host.on_thread(path.read_bytes, lambda data, error: self._send_file(result, path, data, error))
        return result

    def save(self, job: str, path: Path, pictures: Sequence[int] = ()) -> PendingResult:
        """Write a finished job of the history, or only some of its pictures, into a file; its suffix says as what."""
        result = self._await(PendingResult(JobStatus(new_job_id()), save_as=path))
        self._connect().export([job], SAVED[path.suffix.lower()], pictures=pictures, job=result.job)
        return result

    def insert_now(self, result: PendingResult) -> None:
        """Put a `ready` result into its document without waiting any longer. Harmless for any other."""
        result.chosen = True
        if result.state == "ready":
            self._insert(result)

    def cancel(self, result: PendingResult) -> None:
        """Stop the job; the result is `over` shortly. Layers that have arrived stay in the history."""
        status = result.status
        if result.over or status.stopping:
            return
        if result.state == "ready":
            self._end(result, UnwantedError())
            return
        status.stopping, status.text, result.stopped_at = True, _("Stopping"), self._clock()
        if result.job in self._waiting:
            client = self._connect()
            client.cancel(result.job)
            if not client.connected:  # the server hears of it when it is back; there is no need to wait for that
                self._end(result)
                return
        self._host.notify(result)

    # --- what happens ------------------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """Take in an event of the client; all of them must come, in order."""
        for result in list(self._waiting.values()):
            if isinstance(event, FileReady) and event.job == result.job and result.save_as is not None:
                self._write(result, result.save_as, event)
            result.status.take(event, self._clock())
            self._proceed(result)

    def tick(self) -> None:
        """Give up what takes too long, and let the host show progress; a host that waits for ever need not call this."""
        lost, stop = self._host.lost_seconds, self._host.stop_seconds
        for result in list(self._waiting.values()):
            if lost is not None:
                result.status.give_up_after(lost, self._clock())
            if stop is not None and result.stopped_at is not None and self._clock() - result.stopped_at > stop:
                self._end(result)
                continue
            self._proceed(result)
            if not result.over:
                self._host.notify(result)

    # --- from the document to the server -----------------------------------------------------------------------------

    def _submit(self, result: PendingResult, pictures: dict[str, Condition] | None, error: BaseException | None) -> None:
        form, plan = result.form, result.plan
        if error is not None or pictures is None or form is None or result.status.stopping:
            self._end(result, error)
            return
        self._await(result)
        self._connect().submit(
            form.task,
            form.parameters(),
            pictures,
            box=plan.box,
            name=plan.name,
            format=plan.format,
            keep=self._host.keeps_jobs,
            job=result.job,
        )

    def _send_file(self, result: PendingResult, path: Path, data: bytes | None, error: BaseException | None) -> None:
        wording = self._host.wording
        if error is not None or data is None:
            self._end(result, RefusedError(_said(wording.unreadable, path, error)))
        elif not data and wording.empty_file:
            self._end(result, RefusedError(_said(wording.empty_file, path)))
        else:
            self._await(result)
            kind = INSERTED[path.suffix.lower()]
            self._connect().insert_file(data, kind, format=result.plan.format, job=result.job)

    def _attach(self, result: PendingResult) -> PendingResult:
        """Ask for a job's layers: a client is told one story of a job at a time."""
        if result.job not in self._waiting:
            self._ask(result)
            return result
        before: list[PendingResult] = [self._waiting[result.job], *self._next.get(result.job, [])]
        for one in before:
            if one.asks_as(result):
                return one
        self._next.setdefault(result.job, []).append(result)
        return result

    def _ask(self, result: PendingResult) -> None:
        self._await(result)
        self._connect().attach(result.job, have=result.without, format=result.plan.format)

    def _leave(self, result: PendingResult) -> None:
        """No event of the job matters to this result any more; the next one may have its turn."""
        if self._waiting.get(result.job) is not result:
            return
        del self._waiting[result.job]
        if self._next.get(result.job):
            self._ask(self._next[result.job].pop(0))
        else:
            self._next.pop(result.job, None)

    def _await(self, result: PendingResult) -> PendingResult:
        result.state = "waiting"
        self._waiting[result.job] = result
        return result

    # --- from the server to the document -----------------------------------------------------------------------------

    def _proceed(self, result: PendingResult) -> None:
        """Act on the end of the job, if that has come."""
        status = result.status
        if not status.over or result.state != "waiting":
            return
        if not status.accepted or (status.failure is not None and status.failure.code in HOPELESS):
            self._connect().cancel(result.job)  # or it would start when a server comes up some day
        if status.outcome != "finished" or result.save_as is not None:
            self._end(result)
            return
        if result.shows is not None:
            self._end(result)
            return
        self._leave(result)
        self._finished.append(result)
        if result.form is not None and not (result.chosen or self._host.inserts_at_once()):
            result.state, status.text = "ready", _("Ready to insert")
            if result in self.generations:
                self.generations.remove(result)
            self._host.notify(result)
            return
        self._insert(result)

    def _insert(self, result: PendingResult) -> None:
        result.state, result.status.text = "inserting", _("Inserting")
        self._host.notify(result)
        self._host.later(insertion(self._host, result), lambda inserted, error: self._inserted(result, inserted, error))

    def _inserted(self, result: PendingResult, inserted: Any, error: BaseException | None) -> None:
        if error is None:
            result.made = inserted
            self._connect().acknowledge(result.job)
        self._end(result, error)

    def _write(self, result: PendingResult, path: Path, ready: FileReady) -> None:
        result.state = "writing"

        def written(_: None, error: BaseException | None) -> None:
            result.state = "waiting"
            if error is not None:
                self._end(result, RefusedError(_said(self._host.wording.unwritable, path, error)))
            else:
                result.made = path
                self._proceed(result)

        self._host.on_thread(partial(files.write, path, ready.data), written)

    def _end(self, result: PendingResult, error: BaseException | None = None) -> None:
        self._leave(result)
        for running in (self._finished, self.generations):
            if result in running:
                running.remove(result)
        result.state, result.error = "over", error
        if result.shows is not None:
            result.shows(result.status.layers if result.status.outcome == "finished" else ())
            return
        if error is not None and not isinstance(error, (RefusedError, DocumentClosedError, UnwantedError)):
            log.error("a result could not be used", exc_info=error)
        self._host.notify(result)


def reading(host: EditorHost, result: PendingResult) -> Work[dict[str, Condition]]:
    """The pictures that the task takes, by their names on the wire. Raises `RefusedError` for an empty selection."""
    plan, form, box = result.plan, result.form, result.plan.source_box
    if plan.clip != "no" and plan.box is not None:
        result.selection = yield from host.read_selection(result.document, plan.box)
    if plan.source is None or box is None or form is None or form.about.worked_on is None:
        return {}
    conditions: dict[str, Condition] = {}
    if form.about.masked:
        mask = yield from host.read_selection(result.document, box)
        if mask.data == bytes(len(mask.data)):  # 4 ms for 4096 x 4096, where `any` takes 76
            raise RefusedError(_(host.wording.nothing_selected))
        conditions["mask"] = Condition(mask, box.x, box.y)
        if plan.restores is not None:
            result.mask = bytes(mask.data)
    if form.about.besides is not None and plan.besides is not None and (other := plan.besides_box) is not None:
        second = yield from host.read_layer(result.document, plan.besides, other)
        conditions[form.about.besides] = Condition(second, other.x, other.y)
    picture = yield from host.read_layer(result.document, plan.source, box)
    if form.about.replaces and not form.about.masked and (yield from _is_clear(picture)):
        raise RefusedError(_("The layer is empty: every pixel of it is transparent. Choose another one, or generate one."))
    return {form.about.worked_on: Condition(picture, box.x, box.y), **conditions}


def _is_clear(picture: Image) -> Work[bool]:
    """Whether nothing of it can be seen; the answer for a picture of more than 8 bits is left to the server."""
    if picture.format not in ("rgba8", "bgra8"):
        return False
    for start in range(3, len(picture.data), PART_BYTES):
        alpha = picture.data[start : start + PART_BYTES : 4]
        if alpha != bytes(len(alpha)):
            return False
        yield
    return True


def insertion(host: EditorHost, result: PendingResult) -> Work[Any]:
    """Put the layers that have arrived into the document as one undo step; returns what the host makes of them.

    Raises `RefusedError` when there is nothing to see in them, and `DocumentClosedError` when the document is no longer open.
    """
    plan, document = result.plan, result.document
    if not result.status.layers:
        raise RefusedError(_(host.wording.nothing_arrived))
    layers: Sequence[LayerReady] = result.status.layers
    if plan.pictures is not None:
        layers = picked(layers, plan.pictures, seen=plan.seen)
    if plan.centre is not None:
        layers = moved_to(layers, *plan.centre)
    item = stacked(layers, title=plan.title)
    if item is None:
        raise RefusedError(_empty(host.wording, plan))
    if not host.is_open(document):
        return (yield from host.insert_elsewhere(result, item))
    with host.undo_step(document):
        inserted = yield from host.insert(result, item)
        if plan.hides is not None:
            host.hide(plan.hides)
    return inserted


def _said(text: str, path: Path, error: BaseException | None = None) -> str:
    reason = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
    return _(text).format(name=path.name, path=path, reason=reason)


def _empty(wording: Wording, plan: JobPlan) -> str:
    """Why there is nothing to see in a result: no prompt and no seed helps where there is no room."""
    box = plan.box
    if box is not None and min(box.width, box.height) < TOO_SMALL:
        return _(wording.too_small).format(width=box.width, height=box.height)
    return _(wording.all_transparent)
