"""Connecting again without the waiting, and the one lock. What a connection is used for, `test_client` shows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from acetate.protocol import Address, Client, Disconnected, Event, Finished, Image
from acetate.protocol import messages as wire
from acetate.protocol.client.pending_job import PendingJob
from acetate.protocol.client.reconnecting import FIRST_RETRY, LAST_LOCAL_RETRY, LAST_RETRY, Reconnecting
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
