"""Connecting again without the waiting, and the one lock. What a connection is used for, `test_client` shows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import cycle, repeat
from pathlib import Path
from types import SimpleNamespace

import pytest
from acetate.protocol import Address, Client, Disconnected, Event, Failure, Finished, Image, ProtocolError
from acetate.protocol import messages as wire
from acetate.protocol.client.connection import next_frame
from acetate.protocol.client.pending_job import PendingJob
from acetate.protocol.client.reconnecting import (
    FIRST_RETRY,
    LAST_LOCAL_RETRY,
    LAST_RETRY,
    MAX_SHORT_LIVES,
    STEADY_SECONDS,
    Reconnecting,
    _answer,
    _greeting,
)
from acetate.protocol.client.server_discovery import ServerDiscovery
from acetate.protocol.link import Link

DEADLINE = 60.0


class Waits(threading.Event):
    """Notes how long was to be waited, instead of waiting; set after so many times."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count, self.seconds = count, []  # type: int, list[float]

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds.append(timeout)
        if len(self.seconds) == self.count:
            self.set()
        return self.is_set()


@pytest.mark.parametrize(("address", "last"), [(Address("ws://127.0.0.1:9/", "token"), LAST_RETRY), (None, LAST_LOCAL_RETRY)])
def test_attempts_become_rarer_and_keep_no_step_with_other_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: Address | None, last: float
) -> None:
    """All clients lose a server at the same moment, and must not come back all at the same moment."""
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    client = Client("test", address=address)
    client._connection._closing = waits = Waits(10)
    client.connect()
    told = [client.events.get(timeout=DEADLINE) for _ in range(waits.count)]
    client.close()
    delays = [event.retry_in for event in told if isinstance(event, Disconnected) and event.retry_in is not None]
    spread = {waited / delay for waited, delay in zip(waits.seconds, delays, strict=True)}

    assert delays == [min(FIRST_RETRY * 2**attempt, last) for attempt in range(waits.count)]
    assert len(spread) > 1 and min(spread) >= 0.8 and max(spread) <= 1.2


class Greeter:
    """Stands in for a server that greets, then hangs up; `ends` says how each connection ends, and after how many seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ends: Iterator[tuple[Failure, float]]) -> None:
        self._ends, self.now, self.delays = ends, 1000.0, []  # type: Iterator[tuple[Failure, float]], float, list[float | None]
        hello = wire.Hello(wire.VERSION, "test", "a-session")
        finder = ServerDiscovery(Address("ws://127.0.0.1:9/", "token"), None)
        self.connection = Reconnecting(hello, finder, self._take)
        self.connection._closing = Waits(100)
        monkeypatch.setattr("acetate.protocol.client.reconnecting.time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(self.connection, "_one_connection", self._serve)

    def run(self) -> list[float | None]:
        """The pauses after each connection; the last is `None` if the client gives up."""
        self.connection._stay_connected()
        return self.delays

    def _serve(self) -> Failure:
        self.connection.failure, self.connection._connected_at = None, self.now
        failure, seconds = next(self._ends)
        self.now += seconds
        return failure

    def _take(self, event: Event) -> None:
        if isinstance(event, Disconnected):
            self.delays.append(event.retry_in)
            if len(self.delays) == 20:
                self.connection._closing.set()


LOST = Failure("connection-lost", "no close frame received")


def test_a_server_that_greets_and_hangs_up_is_met_with_longer_pauses_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    greeter = Greeter(monkeypatch, repeat((LOST, 0.5)))
    delays = greeter.run()
    failure = greeter.connection.failure

    assert delays == [*(min(FIRST_RETRY * 2**count, LAST_RETRY) for count in range(MAX_SHORT_LIVES - 1)), None]
    assert failure is not None and greeter.connection.hopeless == failure and failure.hint
    assert (
        failure.message
        == f"the server has greeted {MAX_SHORT_LIVES} times and hung up soon after each time; the last: {LOST.message}"
    )


def test_whoever_asks_again_gets_as_many_attempts_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    greeter = Greeter(monkeypatch, repeat((LOST, 0.5)))
    first = list(greeter.run())
    greeter.connection.begin()
    assert greeter.connection._thread is not None
    greeter.connection._thread.join(DEADLINE)

    assert greeter.delays == first * 2


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [(LOST, STEADY_SECONDS), (Failure("server-stopped", "the server was stopped"), 0.5)],
    ids=["good", "stopped-in-order"],
)
def test_after_a_good_connection_or_an_orderly_end_the_pauses_begin_anew(
    monkeypatch: pytest.MonkeyPatch, failure: Failure, seconds: float
) -> None:
    assert Greeter(monkeypatch, repeat((failure, seconds))).run() == [FIRST_RETRY] * 20


def test_one_good_connection_among_bad_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = cycle([(LOST, 1.0)] * (MAX_SHORT_LIVES - 1) + [(LOST, STEADY_SECONDS)])
    assert None not in Greeter(monkeypatch, ends).run()


class Nobody:
    """Stands in for the connecting; each attempt takes a second and fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failure: Failure, attempts: int) -> None:
        self.now, self.told, self._failure, self._attempts = 1000.0, [], failure, attempts  # type: float, list[bool], Failure, int
        finder = ServerDiscovery(Address("ws://127.0.0.1:9/", "token"), None)
        self.connection = Reconnecting(wire.Hello(wire.VERSION, "test", "a-session"), finder, self._take)
        self.connection._closing = Waits(100)
        self.connection.failure = failure  # as after an attempt before: there was no connection
        monkeypatch.setattr("acetate.protocol.client.reconnecting.time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(self.connection, "_one_connection", self._fail)
        self.connection._stay_connected()

    def _fail(self) -> Failure:
        self.now += 1.0
        return self._failure

    def _take(self, event: Event) -> None:
        assert isinstance(event, Disconnected)
        self.told.append(event.settled)
        if len(self.told) == self._attempts:
            self.connection._closing.set()


def test_why_there_is_no_connection_is_to_be_told_when_three_attempts_and_some_seconds_have_not_helped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Nobody(monkeypatch, Failure("not-the-server", "?"), 5).told == [False, False, False, True, True]


def test_what_waiting_does_not_cure_is_to_be_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Nobody(monkeypatch, Failure("no-server", "?"), 2).told == [True, True]


def test_who_waits_in_a_script_is_told_of_a_wrong_server_and_goes_on_waiting_for_one_that_is_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = Nobody(monkeypatch, Failure("not-the-server", "it is a web server"), 5)
    assert wrong.connection._needs_a_person
    with pytest.raises(ProtocolError, match="it is a web server"):
        wrong.connection.wait(DEADLINE)

    assert not Nobody(monkeypatch, LOST, 5).connection._needs_a_person


@pytest.mark.parametrize("text", ['{"type": "welcome", "protocol": 1}', "not JSON", '{"type": "jobs", "jobs": []}', b"pixels"])
def test_a_greeting_of_another_version_is_named_with_what_to_do(text: str | bytes) -> None:
    with pytest.raises(ProtocolError) as error:
        _greeting(text)

    assert error.value.failure.code == "server-too-old" and "acetate plugin install all" in error.value.failure.hint


def test_a_server_that_takes_the_connection_and_never_greets_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def recv(self, timeout: float) -> str:
            raise TimeoutError

    with pytest.raises(ProtocolError, match="has not greeted within 10 s"):
        _answer(Silent())  # type: ignore[arg-type]


def test_a_client_that_is_closed_is_not_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connected()
    connection.connected = True
    connection.end(0.0)

    assert not connection.connected


def test_a_frame_is_waited_for_as_long_as_bytes_of_it_come_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("acetate.protocol.client.connection.time", SimpleNamespace(monotonic=lambda: clock.now))

    class Slow:
        """A connection of which a byte comes each minute, ten times, and never a whole frame."""

        heard_at = 0.0

        def recv(self, timeout: float) -> str:
            clock.now += min(timeout, 60.0)
            if clock.now <= 600:
                self.heard_at = clock.now
            raise TimeoutError

    with pytest.raises(ProtocolError, match="nothing was heard of the server for 120 s"):
        next_frame(Slow(), 120.0)  # type: ignore[arg-type]
    assert clock.now == 720.0


# --- the lock --------------------------------------------------------------------------------------------------------

JOB = "j" * 32


def connected(deliver: Callable[[Event], None] = lambda event: None) -> Reconnecting:
    """With a connection that the test stands in for."""
    hello = wire.Hello(wire.VERSION, "test", "a-session")
    connection = Reconnecting(hello, ServerDiscovery(Address("ws://127.0.0.1:9/", "token"), None), deliver)
    with connection.session() as session:
        session.connected(Link(["raw"]))
    return connection


def others_may_enter(connection: Reconnecting) -> bool:
    """Whether another thread could ask the session for something now."""
    entered: list[bool] = []

    def enter() -> None:
        entered.append(connection._changed.acquire(blocking=False))
        if entered[0]:
            connection._changed.release()

    entering = threading.Thread(target=enter)
    entering.start()
    entering.join(DEADLINE)
    return entered[0]


def test_nobody_can_see_a_job_as_told_whose_end_is_not_delivered_yet() -> None:
    """Whoever follows a job asks whether it is still told, and looks for its end where the events are if not."""
    seen: list[bool] = []
    connection = connected(deliver=lambda event: seen.append(others_may_enter(connection)))
    with connection.session() as session:
        session.begin(PendingJob(wire.Submit(JOB, "foreground")))
    connection._take(wire.to_text(Finished(JOB, 0, 0.5)))

    assert seen == [False] and others_may_enter(connection)


class Wire:
    """What the writing thread needs of a connection; `after` is called with each text once it is sent."""

    def __init__(self, after: Callable[[str], None]) -> None:
        self.after, self.closed = after, False

    def send(self, text: str) -> None:
        self.after(text)

    def close(self) -> None:
        self.closed = True


def test_the_host_is_not_kept_waiting_while_pictures_are_hashed_or_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connected()
    picture = Image(1, 1, "gray8", b"1")
    hashes = PendingJob.names
    seen: dict[str, bool] = {}

    def hashing(job: PendingJob) -> dict[str, str]:
        seen["hashing"] = others_may_enter(connection)
        return hashes(job)

    def sending(text: str) -> None:
        seen["sending"] = others_may_enter(connection)
        with connection.session() as session:
            session.disconnected()

    monkeypatch.setattr(PendingJob, "names", hashing)
    places = wire.Conditions(mask=wire.Placed("0" * 64))
    with connection.session() as session:
        session.begin(PendingJob(wire.Submit(JOB, "repaint", conditions=places), {"mask": picture}))
    wired = Wire(after=sending)
    connection._write(wired, Link(["raw"]))  # type: ignore[arg-type]

    assert seen == {"hashing": True, "sending": True} and wired.closed


def test_a_connection_that_cannot_be_written_to_is_closed_and_its_jobs_stay() -> None:
    def broken(text: str) -> None:
        raise OSError("broken pipe")

    connection, wired = connected(), Wire(after=broken)
    with connection.session() as session:
        session.begin(PendingJob(wire.Submit(JOB, "foreground")))
    connection._write(wired, Link(["raw"]))  # type: ignore[arg-type]

    assert wired.closed and session.is_told(JOB)
