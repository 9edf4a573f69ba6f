"""One job as seen from its events: how far it is, in words and numbers, what has arrived, how it ended.

Knows the protocol's events; knows no editor and no screen, and never waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from acetate import protocol as wire

from .translations import _, marked
from .words import described

HOPELESS = wire.HOPELESS
LOOKING = marked("Looking for the server")
OUTCOMES = {"finished": marked("Done"), "failed": marked("Failed"), "cancelled": marked("Stopped")}


@dataclass
class JobStatus:
    """Feed it every event with `take`; read the rest. A lost connection does not end a job: it goes on at the server."""

    job: str | None = None
    """The job to watch; `None` before it is submitted."""
    text: str = field(default_factory=lambda: _(LOOKING))
    """What the job is doing, in a few words."""
    fraction: float | None = None
    """Share of the job that is done, in [0, 1]; `None` when unknown."""
    preview: wire.Image | None = None
    """The newest state of the picture; the reader may take it away."""
    layers: list[wire.LayerReady] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    """The server's remarks about a finished job."""
    stopping: bool = False
    """Whether the person has asked to stop."""
    failure: wire.Failure | None = None
    """Why it failed, or why there is no connection now."""
    patient: bool = False
    """Whether to wait, once the server has accepted the job, for it to come back, however long that takes."""
    running: bool = False
    """Whether the server is at it; else the job waits there, or is on its way."""
    accepted: bool = False
    """Whether the server has said anything about the job."""
    outcome: Literal["finished", "failed", "cancelled"] | None = None
    lost_since: float | None = None
    """When the connection went, on the clock that `take` is given."""

    @property
    def over(self) -> bool:
        return self.outcome is not None

    def take(self, event: wire.Event, at: float) -> None:
        """Take in an event; `at` is seconds on any clock that does not go back. Events of other jobs are ignored."""
        if self.over:
            return
        if isinstance(event, wire.Starting):
            self.text = _("Starting the Acetate server")
        elif isinstance(event, wire.Connected):
            self.lost_since = self.failure = None
            self.text = _("Connected")
        elif isinstance(event, wire.Disconnected):
            self._lost(event, at)
        elif self.job is None:
            return
        elif getattr(event, "job", None) == self.job:
            self._of_job(event)
        elif isinstance(event, wire.Error) and not event.about and not self.accepted:  # it may have been ours
            self._end("failed", event.failure)

    def give_up_after(self, seconds: float, at: float) -> None:
        """End a job whose connection has been lost for longer than that. For hosts that cannot wait for a reconnection."""
        if self.lost_since is not None and at - self.lost_since > seconds:
            self._end("failed", self.failure or wire.Failure("connection-lost", marked("the connection to the server is lost")))

    def _lost(self, event: wire.Disconnected, at: float) -> None:
        self.text = _("Waiting for the server")
        self.failure = event.failure
        if self.lost_since is None:
            self.lost_since = at
        hopeless = event.failure.code in HOPELESS
        unheard = (hopeless or event.settled) and not self.accepted
        if event.retry_in is None or unheard or (hopeless and not self.patient):
            self._end("failed", event.failure)

    def _of_job(self, event: wire.Event) -> None:
        self.accepted = True
        if isinstance(event, wire.Queued):
            self.running, self.text = False, described(event)
        elif isinstance(event, wire.Receiving):
            self.text = described(event)
        elif isinstance(event, wire.Started):
            self.running, self.fraction = True, None
            self.text = _("Starting") if event.attempt == 1 else _("Starting again after an error")
        elif isinstance(event, wire.Progress):
            # Loading is no step of the work: its share says nothing about how long it takes.
            self.fraction = None if event.stage == "load" else event.fraction
            self.text = described(event)
        elif isinstance(event, wire.Preview):
            self.preview = event.image
        elif isinstance(event, wire.LayerReady):
            self.layers.append(event)
        elif isinstance(event, wire.Finished):
            self.notes = event.notes
            self._end("finished", None)
        elif isinstance(event, wire.Cancelled):
            message, hint = marked("the job was stopped by another program"), marked("Generate again to repeat it.")
            self._end("cancelled", None if self.stopping else wire.Failure("cancelled", message, hint))
        elif isinstance(event, (wire.Failed, wire.Error)):
            self._end("failed", event.failure)

    def _end(self, outcome: Literal["finished", "failed", "cancelled"], failure: wire.Failure | None) -> None:
        self.outcome, self.failure, self.lost_since = outcome, failure, None
        self.text = _(OUTCOMES[outcome])
