"""Several clients at one server: turns, priorities, limits, and what happens when one of them leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from acetate.protocol import (
    Cancelled,
    Client,
    Condition,
    Failed,
    Finished,
    Image,
    Jobs,
    LayerReady,
    Parameters,
    Progress,
    Queued,
    Started,
)


@pytest.fixture
def three(server: Any) -> Iterator[list[Client]]:
    clients = [Client(name, address=server.address) for name in ("krita", "gimp", "script")]
    for client in clients:
        client.wait_until_connected()
    yield clients
    for client in clients:
        client.close()


def held(server: Any, client: Client, until: Any) -> str:
    """A job that occupies the engine until the gate `go` opens."""
    job = client.submit("foreground", Parameters(prompt="@gate:go"))
    until(client, lambda event: isinstance(event, Progress) and event.job == job)
    return job


def started_in_order(server: Any, count: int) -> list[str]:
    """Job ids in the order in which they were run, from the server's log."""
    return [line["job"] for line in server.log() if line["event"] == "over"][:count]


def test_clients_take_turns(server: Any, three: list[Client], until: Any) -> None:
    first = held(server, three[0], until)
    jobs = {
        name: [client.submit("foreground", Parameters(prompt=name)) for _ in range(count)]
        for name, client, count in zip("abc", three, (4, 2, 1), strict=True)
    }
    for name, client in zip("abc", three, strict=True):
        until(client, lambda event, last=jobs[name][-1]: isinstance(event, Queued) and event.job == last)
    server.open_gate("go")
    for name, client in zip("abc", three, strict=True):
        until(client, lambda event, last=jobs[name][-1]: isinstance(event, Finished) and event.job == last)

    a, b, c = jobs["a"], jobs["b"], jobs["c"]
    assert started_in_order(server, 8)[0] == first
    turns = started_in_order(server, 8)[1:]
    assert {turns[0], turns[1]} == {b[0], c[0]}, "those who have not had a turn come first"
    assert turns[2] == a[0]
    assert turns[3:] == [b[1], a[1], a[2], a[3]]


def test_everybody_gets_only_their_own_layers(three: list[Client], drawn: Any) -> None:
    jobs = [(c, s, c.submit("foreground", Parameters(prompt=f"thing {s}", seed=s), crop=False)) for s in range(5) for c in three]
    for client, seed, job in jobs:
        (expected,) = drawn(prompt=f"thing {seed}", seed=seed)
        found: list[Any] = []
        for event in list(client.follow(job, timeout=120)):
            found += [event] if isinstance(event, LayerReady) else []
        assert [event.data for event in found] == [expected.rgba.tobytes()]


def test_a_job_at_the_front_overtakes_its_own_only(server: Any, three: list[Client], until: Any) -> None:
    held(server, three[0], until)
    slow = three[1].submit("foreground", Parameters(prompt="slow"))
    urgent = three[1].submit("foreground", Parameters(prompt="urgent"), priority="front")
    until(three[1], lambda event: isinstance(event, Queued) and event.job == slow and event.position == 1)
    server.open_gate("go")
    until(three[1], lambda event: isinstance(event, Finished) and event.job == slow)

    assert started_in_order(server, 3)[1:] == [urgent, slow]


def test_a_replacing_job_cancels_the_sessions_waiting_ones(server: Any, three: list[Client], until: Any) -> None:
    held(server, three[0], until)
    stale = [three[1].submit("foreground", Parameters(prompt=f"draft {n}")) for n in range(3)]
    until(three[1], lambda event: isinstance(event, Queued) and event.job == stale[-1])
    other = three[2].submit("foreground", Parameters(prompt="somebody else's"))
    until(three[2], lambda event: isinstance(event, Queued) and event.job == other)
    newest = three[1].submit("foreground", Parameters(prompt="final"), priority="replace")
    server.open_gate("go")
    events = until(three[1], lambda event: isinstance(event, Finished) and event.job == newest)

    assert [event.job for event in events if isinstance(event, Cancelled)] == stale
    until(three[2], lambda event: isinstance(event, Finished) and event.job == other)


def test_the_list_of_jobs_shows_what_runs_waits_and_was_not_fetched(server: Any, three: list[Client], until: Any) -> None:
    done = three[2].submit("foreground", Parameters(prompt="done"))
    until(three[2], lambda event: isinstance(event, Finished))
    running = held(server, three[0], until)
    waiting = three[1].submit("foreground", Parameters(prompt="later"))
    until(three[1], lambda event: isinstance(event, Queued))
    three[2].jobs()
    lines = until(three[2], lambda event: isinstance(event, Jobs))[-1].jobs

    assert [(line.job, line.state) for line in lines] == [(running, "running"), (waiting, "waiting"), (done, "finished")]
    assert lines[1].prompt == "later"
    server.open_gate("go")


def test_the_same_job_sent_twice_is_one_job(server: Any, client: Client, until: Any) -> None:
    job = client.submit("foreground", Parameters(prompt="once"))
    until(client, lambda event: isinstance(event, Finished))
    client.submit("foreground", Parameters(prompt="once"), job=job)
    again = until(client, lambda event: isinstance(event, Finished))

    assert sum(isinstance(event, LayerReady) for event in again) == 1
    assert started_in_order(server, 9) == [job]


def test_too_many_waiting_jobs_are_refused(start_server: Any, until: Any) -> None:
    server = start_server(jobs=3)
    with Client("test", address=server.address) as client:
        held(server, client, until)
        jobs = [client.submit("foreground", Parameters(prompt=str(n))) for n in range(5)]
        failed = until(client, lambda event: isinstance(event, Failed) and event.job == jobs[-1])
        server.open_gate("go")

    assert {event.failure.code for event in failed if isinstance(event, Failed)} == {"too-many"}


def test_an_artists_job_goes_on_without_its_client(server: Any, until: Any) -> None:
    with Client("krita", address=server.address) as leaving:
        job = held(server, leaving, until)
    server.open_gate("go")
    with Client("krita", address=server.address) as back:
        events = list(back.follow(job, timeout=120))

    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, LayerReady) for event in events) == 1


def test_a_job_that_is_not_kept_stops_with_its_client(start_server: Any, until: Any) -> None:
    """GIMP's Cancel kills the plug-in without a word."""
    server = start_server(return_seconds=0.1)
    gimp = Client("gimp", address=server.address)
    gimp.wait_until_connected()
    running = gimp.submit("foreground", Parameters(prompt="@sleep:0.02", steps=1000), keep=False)
    waiting = gimp.submit("foreground", Parameters(prompt="later"), keep=False)
    until(gimp, lambda event: isinstance(event, Progress) and event.job == running)
    gimp.close()
    with Client("krita", address=server.address) as krita:
        going_on = {running, waiting}
        while going_on & {running, waiting}:
            krita.jobs()
            going_on = {line.job for line in until(krita, lambda event: isinstance(event, Jobs))[-1].jobs}
        assert isinstance(list(krita.follow(running, timeout=120))[-1], Cancelled)
        assert isinstance(list(krita.follow(waiting, timeout=120))[-1], Cancelled)
        assert isinstance(list(krita.run("foreground", Parameters(prompt="next"), timeout=120))[-1], Finished)


def test_two_clients_watch_one_job(server: Any, three: list[Client], until: Any) -> None:
    job = held(server, three[0], until)
    three[1].attach(job)
    until(three[1], lambda event: isinstance(event, Started))
    server.open_gate("go")

    for client in three[:2]:
        events = until(client, lambda event: isinstance(event, Finished))
        assert sum(isinstance(event, LayerReady) for event in events) == 1


def test_a_picture_is_uploaded_once_for_many_jobs(server: Any, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image(64, 64, "rgba8", bytes(range(256)) * 64)
    for seed in range(3):
        last = list(client.run("refine", Parameters(seed=seed), {"source": Condition(image)}, timeout=120))[-1]
        assert isinstance(last, Finished)
    blobs = {path.stat().st_ino for path in (server.folder / "blobs").glob("??/*") if path.name == image.sha256}

    assert len(blobs) == 1
    by_name = list(client.run("refine", Parameters(seed=9), {"source": Condition(image.sha256)}, timeout=120))[-1]
    assert isinstance(by_name, Finished)


def test_a_result_of_the_server_is_a_condition_without_an_upload(client: Client) -> None:
    events = list(client.run("foreground", Parameters(prompt="a kite"), crop=False, timeout=120))
    (layer,) = [event.layer for event in events if isinstance(event, LayerReady)]
    refined = list(client.run("refine", Parameters(), {"source": Condition(layer.sha256)}, timeout=120))

    assert isinstance(refined[-1], Finished)


def test_an_unknown_picture_fails_the_job(client: Client) -> None:
    last = list(client.run("refine", Parameters(), {"source": Condition("0" * 64)}, timeout=120))[-1]

    assert isinstance(last, Failed) and last.failure.code == "unknown-image"
