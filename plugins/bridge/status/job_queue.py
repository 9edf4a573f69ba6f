"""Everything that runs and waits at the server, as one list: this editor's own jobs, those that it left behind in an earlier run,
and those of other programs. Knows jobs and the protocol's list of them; knows no widget and no clock.

The server tells each program about its own jobs only. So it is asked for the list whenever something has happened to one of them,
and by `refresh`, which an editor calls now and then while somebody can see the list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from acetate.protocol import (
    Cancelled,
    Client,
    Connected,
    Disconnected,
    Error,
    Event,
    Failed,
    Finished,
    JobLine,
    Jobs,
    Queued,
    Started,
)

from ..job import EditorJobs
from ..pending import PendingResult
from ..tasks import BY_NAME
from ..translations import _, counted
from ..words import described, duration, short_prompt

MOST_LINES = 60
"""How many jobs are asked for: what runs and waits comes first, and nobody reads more."""
LIVE = ("running", "waiting")


@dataclass(frozen=True)
class QueuedJob:
    """One line of the queue."""

    job: str
    task: str
    prompt: str
    running: bool
    """Whether it runs; else it waits."""
    origin: Literal["own", "earlier", "other"]
    """Asked for by this editor, by an earlier run of it, or by another program."""
    client: str = ""
    """What that other program calls itself; empty where the server does not know it any more."""
    text: str = ""
    """How far it is, in a few words."""
    fraction: float | None = None
    """Share of it that is done, in [0, 1]; `None` when unknown."""
    stopping: bool = False
    """Whether somebody here has asked to stop it."""
    first: bool = False
    """Whether nothing that waits is before it."""

    @property
    def title(self) -> str:
        """What it is to make: the prompt in short, or else the task."""
        return short_prompt(self.prompt) or (_(BY_NAME[self.task].label) if self.task in BY_NAME else self.task)

    @property
    def whose(self) -> str:
        """Who asked for it; empty for this editor's own."""
        if self.origin == "own":
            return ""
        return _("from an earlier run") if self.origin == "earlier" else self.client or _("another program")


class JobQueue:
    """Feed it every event with `take`, after the jobs have had it; read `rows`. `client` returns the client, which it does not
    connect, or `None` before there is one."""

    def __init__(self, jobs: EditorJobs, client: Callable[[], Client | None]) -> None:
        self._jobs, self._client = jobs, client
        self._lines: tuple[JobLine, ...] = ()
        self._stopping: set[str] = set()
        """Jobs of others that were asked to stop."""
        self._asked = self._outdated = False

    # --- what an artist asks for -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask the server for the list, unless its answer is on the way."""
        client = self._client()
        if client is None or not client.connected:
            return
        if self._asked:
            self._outdated = True
            return
        self._asked, self._outdated = True, False
        client.jobs(limit=MOST_LINES)

    def cancel(self, job: str) -> None:
        """Stop a job, whoever asked for it."""
        own, client = self._own.get(job), self._client()
        if own is not None:
            self._jobs.cancel(own)
        elif client is not None:
            self._stopping.add(job)
            client.cancel(job)
        self.refresh()

    def cancel_all(self) -> None:
        """Stop everything that this editor has asked for, in this run and in earlier ones. Jobs of other programs go on."""
        for row in self.rows:
            if row.origin != "other":
                self.cancel(row.job)

    def advance(self, job: str) -> None:
        """Put a waiting job before all others of this person."""
        if (client := self._client()) is not None:
            client.advance(job)
            self.refresh()

    # --- what happens ------------------------------------------------------------------------------------------------

    def take(self, event: Event) -> bool:
        """Take in an event; returns whether the list may have changed."""
        if isinstance(event, Jobs):
            self._lines = tuple(line for line in event.jobs if line.state in LIVE)
            self._stopping &= {line.job for line in self._lines}
            self._asked = False
            if self._outdated:
                self.refresh()
            return True
        if isinstance(event, Disconnected):
            self._lines, self._asked = (), False
            return True
        if isinstance(event, Error) and event.about == "jobs":
            self._asked = False
        elif isinstance(event, (Connected, Queued, Started, Finished, Failed, Cancelled)):
            self.refresh()
            return True
        return False

    # --- what there is -----------------------------------------------------------------------------------------------

    @property
    def rows(self) -> tuple[QueuedJob, ...]:
        """What runs, then what waits, in the server's order; last what the server has not heard of yet."""
        own, rows = self._own, []
        for line in self._lines:
            mine = own.pop(line.job, None)
            rows.append(self._row(line) if mine is None else _own_row(mine, line))
        rows += [_own_row(mine) for mine in own.values()]
        return tuple(sorted(rows, key=lambda row: not row.running))  # stable

    @property
    def summary(self) -> str:
        """How much there is, such as `1 running, 3 waiting`; empty when there is nothing."""
        rows = self.rows
        running = sum(row.running for row in rows)
        waiting = len(rows) - running
        said = [counted("{count} running", "{count} running", running)] if running else []
        said += [counted("{count} waiting", "{count} waiting", waiting)] if waiting else []
        return ", ".join(said)

    def text_of(self, result: PendingResult) -> str:
        """How far one of this editor's jobs is; while it waits for somebody else's, whose that is."""
        status = result.status
        if result.state == "waiting" and status.accepted and not status.running and not status.over and not status.stopping:
            before = next((row for row in self.rows if row.running), None)
            if before is not None and before.origin != "own":
                said = _("Waiting for “{title}” ({whose})").format(title=before.title, whose=before.whose)
                return f"{said}, {before.text}" if before.text else said
        return status.text

    # --- inside ------------------------------------------------------------------------------------------------------

    @property
    def _own(self) -> dict[str, PendingResult]:
        return {result.job: result for result in self._jobs.generations}

    def _row(self, line: JobLine) -> QueuedJob:
        running = line.state == "running"
        first = not running and line.position == 0
        client = self._client()
        origin: Literal["earlier", "other"] = "earlier" if client is not None and line.session == client.session else "other"
        stopping = line.job in self._stopping
        text = _("Stopping") if stopping else ""
        if not text and running and line.seconds_left is not None:
            text = _("{time} left").format(time=duration(line.seconds_left))
        fraction = line.fraction if running else None
        return QueuedJob(
            line.job, line.task, line.prompt, running, origin, line.client, text, fraction, stopping=stopping, first=first
        )


def _own_row(result: PendingResult, line: JobLine | None = None) -> QueuedJob:
    status, form = result.status, result.form
    running = status.running or result.state != "waiting"
    waits = line is not None and line.state == "waiting" and not running and not status.stopping
    # The list is newer than the place that was told last: those are told now and then.
    text = described(Queued(result.job, line.position)) if line is not None and waits else status.text
    return QueuedJob(
        result.job,
        form.task if form is not None else "",
        form.prompt if form is not None else "",
        running,
        "own",
        text=text,
        fraction=status.fraction if status.running else None,
        stopping=status.stopping,
        first=line is not None and waits and line.position == 0,
    )
