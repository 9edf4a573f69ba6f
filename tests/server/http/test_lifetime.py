"""What a server waits for before it ends, and when it ends by itself. Real ones are stopped in `tests/e2e`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from acetate.server.http import lifetime as ending
from acetate.server.http.lifetime import installed_version, notify

House = Callable[..., Any]
DEADLINE = 30.0


async def forever() -> None:
    await asyncio.Event().wait()


def until_stopped(house: Any, *lanes: Awaitable[None], meanwhile: Callable[[], Awaitable[None]] | None = None) -> bool:
    """Run `meanwhile` while the server runs; whether it ended because of an error."""

    async def scene() -> bool:
        tasks = [asyncio.ensure_future(lane) for lane in lanes]
        waiting = asyncio.create_task(house.lifetime.until_stopped(tasks))
        await asyncio.sleep(0)
        if meanwhile is not None:
            assert not waiting.done()
            await meanwhile()
        failed = await asyncio.wait_for(waiting, DEADLINE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return failed

    return asyncio.run(scene())


def turns(count: int = 20) -> Awaitable[None]:
    async def wait() -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    return wait()


# --- the last jobs ---------------------------------------------------------------------------------------------------


def test_a_server_without_jobs_ends_as_soon_as_it_is_asked_to(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    built = house()

    async def ask() -> None:
        built.lifetime.stop("a test")

    assert not until_stopped(built, forever(), meanwhile=ask)
    assert capsys.readouterr().out == "Stopping.\n"


def test_a_running_job_comes_to_its_end_first(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    built = house(drain_seconds=DEADLINE)
    built.submit("job-number-1")
    ended: list[str] = []

    async def meanwhile() -> None:
        job = built.take()
        built.lifetime.stop("a test")
        await turns()
        ended.append("job")
        built.jobs.end(job, "finished")

    assert not until_stopped(built, forever(), meanwhile=meanwhile)
    assert ended == ["job"], "and not before"
    assert f"when the running job is over, in {DEADLINE:g} s at the latest" in capsys.readouterr().out


def test_its_client_is_sent_the_result_before_the_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "LOOK_SECONDS", 0)
    built = house(drain_seconds=DEADLINE)
    built.clients.append("owed a layer")

    async def meanwhile() -> None:
        built.lifetime.stop("a test")
        await turns()
        built.clients[0] = ""  # it has been sent everything

    assert not until_stopped(built, forever(), meanwhile=meanwhile)
    assert built.clients == [""]


def test_a_client_that_takes_nothing_does_not_hold_up_the_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor on a computer that sleeps; its results are stored."""
    monkeypatch.setattr(ending, "DELIVERY_SECONDS", 0)
    built = house(drain_seconds=DEADLINE)
    built.clients.append("owed a layer")

    async def ask() -> None:
        built.lifetime.stop("a test")

    assert not until_stopped(built, forever(), meanwhile=ask)


@pytest.mark.parametrize("how", ["the limit", "in a hurry", "a second signal"])
def test_a_job_that_is_not_waited_for_is_there_after_the_next_start(
    house: House, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    built = house(drain_seconds=0 if how == "the limit" else DEADLINE)
    built.submit("job-number-1")

    async def meanwhile() -> None:
        built.take()
        if how == "a second signal":
            built.lifetime.stop_on_signals()
            for _ in range(2):
                signal.raise_signal(signal.SIGTERM)
                await turns()
        else:
            built.lifetime.stop("a test", now=how == "in a hurry")

    assert not until_stopped(built, forever(), meanwhile=meanwhile)
    (said,) = [record for record in caplog.records if record.getMessage() == "interrupted"]
    assert vars(said)["job"] == "job-number-1"
    assert built.jobs.store.get("job-number-1").state == "running", "as after a crash, which the next start takes up"


def test_the_third_signal_waits_for_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    built = house()

    async def scene() -> None:
        built.lifetime.stop_on_signals()
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
            await turns()

    asyncio.run(scene())
    assert codes == [130]


def test_asking_twice_is_no_hurry(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Two editors may find an old server at the same time."""
    built = house(drain_seconds=DEADLINE)
    built.submit("job-number-1")

    async def meanwhile() -> None:
        job = built.take()
        for _ in range(2):
            built.pages.private("POST", "/stop")
            await turns()
        built.jobs.end(job, "finished")

    assert not until_stopped(built, forever(), meanwhile=meanwhile)
    assert built.jobs.store.get("job-number-1").state == "finished"
    assert "interrupted" not in [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("stopping", [False, True])
def test_it_ends_with_a_failure_when_a_lane_has_ended(
    house: House, stopping: bool, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A server without lanes would take jobs and never run them."""
    built = house(drain_seconds=DEADLINE)
    built.submit("job-number-1")

    async def breaking() -> None:
        await turns(2)
        raise ZeroDivisionError("a mistake")

    async def ask() -> None:
        built.take()
        if stopping:
            built.lifetime.stop("a test")

    assert until_stopped(built, forever(), breaking(), meanwhile=ask)
    assert "a mistake" in caplog.text and "Stopping" in capsys.readouterr().out


# --- ending by itself ------------------------------------------------------------------------------------------------


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch, house: House) -> Callable[..., tuple[Any, float]]:
    """Let time pass look by look: `looks` gives what happens before each; returns the house, and when it stopped."""

    def watching(looks: Callable[[Any], Iterator[object]], installed: Callable[[], str | None] | None = None) -> Any:
        built = house(until_idle=True, unused_seconds=100)
        clock = SimpleNamespace(now=1000.0)
        happening = looks(built)

        async def sleep(seconds: float) -> None:
            if next(happening, "over") == "over":
                raise asyncio.CancelledError
            clock.now += seconds

        monkeypatch.setattr(ending, "time", SimpleNamespace(monotonic=lambda: clock.now, time=lambda: clock.now))
        monkeypatch.setattr(ending, "asyncio", SimpleNamespace(sleep=sleep))
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(built.lifetime.watch_use(installed or (lambda: built.lifetime.version)))
        return built, clock.now - 1000

    return watching


def test_a_server_that_nobody_has_needed_for_the_time_ends(watch: Any) -> None:
    def nothing_happens(house: Any) -> Iterator[object]:
        yield from range(100)

    built, seconds = watch(nothing_happens)
    assert built.lifetime.stopping and seconds == 100


def test_clients_and_jobs_keep_it_and_the_time_begins_when_the_last_has_gone(watch: Any) -> None:
    def visited(house: Any) -> Iterator[object]:
        house.clients.append("")
        yield from range(50)
        house.submit("job-number-1")
        house.clients.clear()
        yield from range(50)
        house.jobs.end(house.take(), "finished")
        yield from range(100)

    built, seconds = watch(visited)
    assert built.lifetime.stopping and seconds == 100 * 25 + 100


def test_a_server_that_was_upgraded_ends_between_jobs_although_clients_are_there(watch: Any) -> None:
    """The editor that is told to go starts the new version at once."""

    def waiting(house: Any) -> Iterator[object]:
        house.clients.append("")
        house.submit("job-number-1")
        yield from range(50)
        assert not house.lifetime.stopping, "not while a job waits"
        house.jobs.end(house.take(), "finished")
        yield from range(100)

    built, seconds = watch(waiting, lambda: "99.0")
    assert built.lifetime.stopping and seconds == 51 * 25


def test_a_version_is_believed_when_it_is_seen_twice(watch: Any) -> None:
    """In the midst of an upgrade there is none, or one that is not complete."""
    versions = iter([None, "99.0", None, "98.0", "99.0"])

    def five_looks(house: Any) -> Iterator[object]:
        house.clients.append("")
        yield from range(5)

    built, _ = watch(five_looks, lambda: next(versions))
    assert not built.lifetime.stopping


def test_the_installed_version_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed_version() == metadata.version("acetate")

    def gone(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(ending.metadata, "version", gone)
    assert installed_version() is None


# --- systemd ---------------------------------------------------------------------------------------------------------


def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify("READY=1")
        assert systemd.recv(100) == b"READY=1"


@pytest.mark.parametrize("path", ["", "/no/where", "@no-such-abstract-socket"])
def test_without_systemd_nothing_happens(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    notify("READY=1")
