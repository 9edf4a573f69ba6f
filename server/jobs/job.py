"""One job that is not over yet, and what it was ordered with. Knows the wire's orders; knows no queue and no store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from acetate.protocol import messages as wire

from ..delivery.subscriber import Subscriber
from .devices import Placement
from .time_left import Course

Submission = wire.Submit | wire.Insert | wire.Export
ORDERS: dict[str, type[Submission]] = {cls.TYPE: cls for cls in (wire.Submit, wire.Insert, wire.Export)}
LANES = ("engine", "documents")


@dataclass(eq=False)
class Job:
    """A job that is not over yet."""

    id: str
    person: str
    session: str
    lane: str
    order: Submission
    keep: bool
    """Whether it goes on when nobody watches it."""
    client: str = ""
    """Who asked for it; empty for a job of the server's run before."""
    running: bool = False
    stopping: bool = False
    attempt: int = 0
    crashes: int = 0
    started: float = 0.0
    fraction: float = 0.0
    """The share that is done, of its present attempt."""
    seconds_left: float | None = None
    course: Course = field(default_factory=Course)
    """The steps of its present attempt."""
    placement: Placement = field(default_factory=Placement)
    made: set[int] = field(default_factory=set)
    """The indices of layers that are stored; a second run does not store them again."""
    watchers: dict[Subscriber, wire.LayerFormat] = field(default_factory=dict)
    """Those who are told about the job, each with its pixel format."""

    @property
    def task(self) -> str:
        return self.order.task if isinstance(self.order, wire.Submit) else self.order.TYPE


def format_of(order: Submission) -> wire.LayerFormat:
    """The pixel format in which its layers are wanted."""
    return "rgba8" if isinstance(order, wire.Export) else order.format or "rgba8"


def inputs(order: Submission) -> Iterator[wire.Placed]:
    """The pictures or the file that an order refers to."""
    if isinstance(order, wire.Insert):
        yield wire.Placed(order.sha256)
    elif isinstance(order, wire.Submit):
        yield from (placed for _, placed in order.conditions.placed())


def prompt_of(message: dict[str, object]) -> str:
    """The beginning of the prompt in a stored order; empty for one without."""
    parameters = message.get("parameters")
    return str(parameters.get("prompt", ""))[:200] if isinstance(parameters, dict) else ""


def line_of(job: Job, state: wire.State, place: int = 0) -> wire.JobLine:
    """The job in the list that `jobs` answers with; `place` is its own in the queue."""
    prompt = job.order.parameters.prompt if isinstance(job.order, wire.Submit) else ""
    return wire.JobLine(job.id, job.task, state, job.session, place, prompt[:200], job.client, job.fraction, job.seconds_left)
