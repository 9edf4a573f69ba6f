"""The client's jobs against a small model of a server: whatever is asked for, lost and evicted, each job has one whole story."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import hypothesis.strategies as st
from acetate.protocol import TERMINAL, Cancelled, Event, Failed, Failure, Finished, Image, LayerReady, Queued
from acetate.protocol import messages as wire
from acetate.protocol.client.job_session import JobSession
from acetate.protocol.client.pending_job import PendingJob
from acetate.protocol.frames import PixelPart, unpack_upload
from acetate.protocol.link import Link
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

PICTURES = {image.sha256: image for image in (Image(1, 1, "rgba8", bytes([value] * 4)) for value in range(3))}
NAMES = sorted(PICTURES)
ROLES = ("source", "foreground", "background")

Frame = wire.ServerMessage | tuple[PixelPart, bytes]


@dataclass
class Known:
    """A job that the server has accepted."""

    layers: int = 0
    end: Finished | Failed | Cancelled | None = None
    watched: bool = True


@dataclass
class Server:
    """What `docs/protocol.md` says about jobs and uploads; its memory outlives connections, its frames under way do not."""

    pictures: set[str] = field(default_factory=set)
    jobs: dict[str, Known] = field(default_factory=dict)
    answers: deque[Frame] = field(default_factory=deque)
    ordered: deque[Frame] = field(default_factory=deque)

    def hang_up(self) -> None:
        self.answers.clear()
        self.ordered.clear()
        for job in self.jobs.values():
            job.watched = False

    def take(self, message: wire.ClientMessage | bytes) -> None:
        if isinstance(message, bytes):
            header, payload = unpack_upload(message)
            assert bytes(payload) == PICTURES[header.sha256].data
            self.pictures.add(header.sha256)
            self.answers.append(wire.Have(header.sha256, 4, complete=True))
        elif isinstance(message, wire.Upload):
            here = message.sha256 in self.pictures
            self.answers.append(wire.Have(message.sha256, 4 if here else 0, complete=here))
        elif isinstance(message, wire.Submit):
            self._accept(message)
        elif isinstance(message, wire.Attach):
            self._tell(message.job, message.have, "attach")
        elif isinstance(message, wire.Cancel):
            if message.job not in self.jobs:
                self.answers.append(wire.Error(Failure("unknown-job", "no"), "cancel", message.job))
            else:
                self.end(Cancelled(message.job))

    def make_layer(self, job: str) -> None:
        known = self.jobs[job]
        known.layers += 1
        if known.watched:
            self._give(job, known.layers - 1)

    def end(self, end: Finished | Failed | Cancelled) -> None:
        known = self.jobs[end.job]
        if known.end is None:
            known.end = end
            if known.watched:
                self.ordered.append(end)

    def _accept(self, message: wire.Submit) -> None:
        named = {placed.sha256 for role in ROLES if (placed := getattr(message.conditions, role)) is not None}
        if message.job not in self.jobs and (missing := named - self.pictures):
            self.answers.append(wire.Error(Failure("unknown-image", "no"), "submit", message.job, tuple(missing)))
            return
        self.jobs.setdefault(message.job, Known())
        self._tell(message.job, (), "submit")

    def _tell(self, job: str, have: tuple[int, ...], about: str) -> None:
        if (known := self.jobs.get(job)) is None:
            self.answers.append(wire.Error(Failure("unknown-job", "no"), about, job))
            return
        known.watched = True
        if known.end is None:
            self.answers.append(Queued(job, 0))
        for index in range(known.layers):
            if index not in have:
                self._give(job, index)
        if known.end is not None:
            self.ordered.append(known.end)

    def _give(self, job: str, index: int) -> None:
        box = wire.Box(0, 0, 1, 1)
        self.ordered.append(wire.Layer(job, index, "kite", "foreground", 0, 0, 1, 1, box, "rgba8", 4, "0" * 64))
        self.ordered.append((PixelPart(job, index, 0, 4), bytes(4)))


class Stories(RuleBasedStateMachine):
    """Frames travel one at a time in both directions; a lost connection loses those that are under way."""

    @initialize()
    def begin(self) -> None:
        self.session, self.server = JobSession(), Server()
        self.told: dict[str, list[Event]] = {}
        """The newest story of each job."""
        self.cancelled: set[str] = set()

    # --- the host ----------------------------------------------------------------------------------------------------

    @rule(names=st.lists(st.sampled_from(NAMES), max_size=3))
    def submit(self, names: list[str]) -> None:
        job = f"job-{len(self.told):08}"
        given = dict(zip(ROLES, (PICTURES[name] for name in names), strict=False))
        conditions = wire.Conditions(**{role: wire.Placed("0" * 64) for role in given})
        self.told[job] = []
        self.session.begin(PendingJob(wire.Submit(job, "blend", conditions=conditions), given))

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(sorted(self.told)))
        if self.session.is_told(job):
            self.cancelled.add(job)
        self.session.cancel(job)

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def attach(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(sorted(self.told)))
        if not self.session.is_told(job):
            self.told[job] = []
        self.session.attach(wire.Attach(job))

    @rule(name=st.sampled_from(NAMES))
    def upload(self, name: str) -> None:
        self.session.upload(name, PICTURES[name])

    # --- the network -------------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.session.is_connected)
    @rule()
    def connect(self) -> None:
        self.session.connected(Link(["raw"]))

    @precondition(lambda self: self.session.is_connected)
    @rule()
    def lose_the_connection(self) -> None:
        self.session.disconnected()
        self.server.hang_up()

    @precondition(lambda self: self.session.has_work)
    @rule()
    def send_one(self) -> None:
        item = self.session.next_to_send()
        if isinstance(item, PendingJob):
            self.session.offer(item, item.names())
        elif item is not None:
            self.server.take(item)

    @precondition(lambda self: self.server.answers or self.server.ordered)
    @rule()
    def receive_one(self) -> None:
        frame = (self.server.answers or self.server.ordered).popleft()
        happened = self.session.receive_part(*frame) if isinstance(frame, tuple) else self.session.receive(frame)
        for event in happened:
            if isinstance(event, (Queued, LayerReady, *TERMINAL)):
                self._tell(event)

    def _tell(self, event: Queued | LayerReady | Finished | Failed | Cancelled) -> None:
        story = self.told[event.job]
        assert not any(isinstance(earlier, TERMINAL) for earlier in story), "the end is the last"
        story.append(event)
        layers = [earlier.layer.index for earlier in story if isinstance(earlier, LayerReady)]
        assert len(layers) == len(set(layers)), "no layer comes twice"
        if isinstance(event, Finished):
            assert sorted(layers) == list(range(event.layers)), "no end overtakes a layer"

    # --- the server --------------------------------------------------------------------------------------------------

    @precondition(lambda self: any(job.end is None for job in self.server.jobs.values()))
    @rule(data=st.data(), layers=st.integers(0, 2), fails=st.booleans())
    def work(self, data: st.DataObject, layers: int, fails: bool) -> None:
        job = data.draw(st.sampled_from(sorted(name for name, known in self.server.jobs.items() if known.end is None)))
        for _ in range(layers):
            self.server.make_layer(job)
        if layers == 0:
            self._finish(job, fails)

    def _finish(self, job: str, fails: bool) -> None:
        failed, finished = Failed(job, Failure("internal", "no")), Finished(job, self.server.jobs[job].layers, 0.5)
        self.server.end(failed if fails else finished)

    @rule(name=st.sampled_from(NAMES))
    def evict(self, name: str) -> None:
        self.server.pictures.discard(name)

    # --- claims ------------------------------------------------------------------------------------------------------

    @invariant()
    def a_job_is_told_until_its_end(self) -> None:
        for job, story in self.told.items():
            assert self.session.is_told(job) == (not any(isinstance(event, TERMINAL) for event in story))

    def teardown(self) -> None:
        """With a connection that holds and a server that works on, everything comes to its end."""
        if not self.session.is_connected:
            self.connect()
        self._let_everything_arrive()
        for job, known in self.server.jobs.items():
            assert known.end is not None or job not in self.cancelled, "the server was told to stop it"
            self._finish(job, fails=False)
        self._let_everything_arrive()
        assert not any(map(self.session.is_told, self.told)), "every job has ended"
        assert self.session.is_flushed

    def _let_everything_arrive(self) -> None:
        while self.session.has_work or self.server.answers or self.server.ordered:
            while self.session.has_work:
                self.send_one()
            while self.server.answers or self.server.ordered:
                self.receive_one()


TestStories = Stories.TestCase
TestStories.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
