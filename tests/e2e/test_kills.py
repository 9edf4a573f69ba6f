"""Workers, servers and clients are killed at every stage of a job: no accepted job is lost, no layer comes twice."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from acetate import document
from acetate.engine import Request
from acetate.protocol import (
    TERMINAL,
    Client,
    Disconnected,
    Event,
    FileReady,
    Finished,
    LayerReady,
    Parameters,
    Progress,
    Queued,
    Receiving,
    Started,
)
from acetate.server.worker.fake_engine import draw

ROUNDS = [1, pytest.param(20, marks=pytest.mark.soak)]
"""Kills per stage: one in the ordinary suite, twenty in the soak."""

STAGES: dict[str, type[Event] | None] = {
    "queued": Queued,
    "started": Started,
    "load": None,
    "encode": None,
    "denoise": None,
    "decode": None,
    "working": Progress,
    "pixels": Receiving,
    "layer": LayerReady,
    "file": FileReady,
    "finished": Finished,
}
"""A job's life in its order, each stage with the event that shows it. Where none does, the engine stops and waits (`@hold`)."""
GENERATING = [stage for stage in STAGES if stage not in ("working", "file")]
DOCUMENTS = [
    (task, stage)
    for task, other in (("insert", "file"), ("export", "layer"))
    for stage, shown in STAGES.items()
    if shown and stage != other
]

SEEDS = itertools.count(0, 10)
"""Each job has its own: the server remembers by it who has been held and may go."""


Show = Callable[[tuple[type[Event], ...]], list[Event]]
"""Waits for one of these events; returns what was seen."""


def plan(stage: str) -> dict[str, Any]:
    """What to ask for, so that the job can be met there: for `pixels` one layer larger than all buffers on its way."""
    if stage == "pixels":
        return {"prompt": "@big:4096", "seed": next(SEEDS), "count": 1, "steps": 4}
    hold = "" if STAGES[stage] else f"@hold:{stage}"
    return {"prompt": f"a kite @sleep:0.01 {hold}", "seed": next(SEEDS), "count": 3, "steps": 4}


def expected(asked: dict[str, Any]) -> list[bytes]:
    return [draw(Request(**asked), "foreground", asked["seed"] + index).tobytes() for index in range(asked["count"])]


def submit(client: Client, asked: dict[str, Any]) -> str:
    return client.submit("foreground", Parameters(**asked), crop=False)


def shown_from(stage: str) -> tuple[type[Event], ...]:
    """The events that show this stage or, as a busy machine may let progress be overtaken, a later one."""
    names = list(STAGES)
    return tuple(shown for name in names[names.index(stage) :] if (shown := STAGES[name]) is not None)


def seen_by(client: Client, until: Any) -> Show:
    return lambda shown: list(until(client, lambda event: isinstance(event, shown)))


def come_to(stage: str, server: Any, asked: dict[str, Any], show: Show) -> list[Event]:
    """Wait until the job has come so far; returns what was seen of it."""
    if STAGES[stage] is not None:
        return show(shown_from(stage))
    server.wait_until_held(asked["seed"])
    return []


def strike(server: Any, lane: str) -> int:
    """Kill the lane's worker, which is alive; returns its id when it is dead."""
    worker = server.worker(lane)
    worker.kill()
    worker.wait(60)
    return int(worker.pid)


def assert_killed(server: Any, lane: str, killed: list[int]) -> None:
    """Each was another of the lane's workers, by the server's own log."""
    started = [line["pid"] for line in server.log() if line["event"] == "worker started" and line["worker"].startswith(lane)]
    assert len(set(killed)) == len(killed) and set(killed) <= set(started)


def to_the_end(client: Client, until: Any, events: list[Event], job: str) -> list[Event]:
    """The job's own events, once it is over."""
    while not any(isinstance(event, TERMINAL) and event.job == job for event in events):
        events += until(client, lambda event: isinstance(event, TERMINAL))
    return [event for event in events if getattr(event, "job", None) == job]


def assert_whole(mine: list[Event], pictures: list[bytes]) -> None:
    """The job has ended well, with each layer exactly once and with the right pixels."""
    layers = sorted((event for event in mine if isinstance(event, LayerReady)), key=lambda event: event.layer.index)
    assert isinstance(mine[-1], Finished), mine[-1]
    assert sum(isinstance(event, TERMINAL) for event in mine) == 1
    assert [event.layer.index for event in layers] == list(range(len(pictures)))
    assert [event.data for event in layers] == pictures


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("stage", GENERATING)
def test_a_killed_worker_costs_no_job_and_doubles_no_layer(shared_server: Any, until: Any, stage: str, rounds: int) -> None:
    server, killed = shared_server, []
    with Client("test", address=server.address) as client:
        for _ in range(rounds):
            asked = plan(stage)
            job = submit(client, asked)
            events = come_to(stage, server, asked, seen_by(client, until))
            killed.append(strike(server, "engine"))
            server.open_gate(f"go-{asked['seed']}")
            mine = to_the_end(client, until, events, job)
            assert_whole(mine, expected(asked))
            if STAGES[stage] is None:
                assert [event.attempt for event in mine if isinstance(event, Started)] == [1, 2]
    assert_killed(server, "engine", killed)


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("stage", GENERATING)
def test_a_killed_server_costs_no_job_and_doubles_no_layer(start_server: Any, until: Any, stage: str, rounds: int) -> None:
    """The client finds the next server by itself, through the state file, and attaches to its jobs again."""
    server = start_server()
    with Client("test") as client:
        for _ in range(rounds):
            orders = [plan(stage), plan("queued")]
            jobs = [submit(client, asked) for asked in orders]
            events = come_to(stage, server, orders[0], seen_by(client, until))
            server.kill()
            events += until(client, lambda event: isinstance(event, Disconnected))
            if stage == "pixels":
                assert not any(isinstance(event, LayerReady) for event in events), "the layer was on its way"
            server.start()
            server.open_gate(f"go-{orders[0]['seed']}")
            for job, asked in zip(jobs, orders, strict=True):
                assert_whole(to_the_end(client, until, events, job), expected(asked))


CLIENT = """
import json, sys
from acetate.protocol import Client, Parameters
with Client("victim") as client:
    client.submit("foreground", Parameters(**json.loads(sys.argv[2])), crop=False, job=sys.argv[1])
    while True:
        print(type(client.events.get(timeout=300)).__name__, flush=True)
"""


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("stage", GENERATING)
def test_a_killed_client_finds_its_layers_when_it_comes_back(shared_server: Any, stage: str, rounds: int) -> None:
    server = shared_server
    for _ in range(rounds):
        asked = plan(stage)
        job = f"job-of-seed-{asked['seed']}"
        command = [sys.executable, "-c", CLIENT, job, json.dumps(asked)]
        environment = {**os.environ, "ACETATE_HOME": str(server.folder)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as victim:

            def show(shown: tuple[type[Event], ...], said: Any = victim.stdout) -> list[Event]:
                names = {cls.__name__ for cls in shown}
                assert any(line.strip() in names for line in said)
                return []

            come_to(stage, server, asked, show)
            assert victim.poll() is None
            victim.kill()
        server.open_gate(f"go-{asked['seed']}")
        with Client("back", address=server.address) as client:
            assert_whole(list(client.follow(job, timeout=120)), expected(asked))


# --- layered files ---------------------------------------------------------------------------------------------------


@cache
def pictures() -> list[np.ndarray]:
    """A few, with one that comes in several parts."""
    source = np.random.default_rng(7)
    return [source.integers(0, 256, (side, side, 4), np.uint8) | np.array([0, 0, 0, 255], np.uint8) for side in (1024, *[64] * 9)]


@cache
def layered_file() -> bytes:
    layers = [document.Layer(rgba, name=f"layer {number}") for number, rgba in enumerate(pictures())]
    return document.write_bytes(document.Document(1024, 1024, layers), "ora")


@pytest.fixture(scope="module")
def inserted(shared_server: Any) -> str:
    """A finished job to export."""
    with Client("test", address=shared_server.address) as client:
        job = client.insert_file(layered_file(), "ora")
        assert isinstance(list(client.follow(job))[-1], Finished)
    return job


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize(("task", "stage"), DOCUMENTS)
def test_a_killed_worker_costs_no_layered_file(
    shared_server: Any, until: Any, inserted: str, task: str, stage: str, rounds: int
) -> None:
    server, killed = shared_server, []
    with Client("test", address=server.address) as client:
        for _ in range(rounds):
            job = client.insert_file(layered_file(), "ora") if task == "insert" else client.export([inserted], "ora")
            events = until(client, lambda event: isinstance(event, shown_from(stage)))
            killed.append(strike(server, "documents"))
            mine = to_the_end(client, until, events, job)
            assert_whole(mine, [rgba.tobytes() for rgba in pictures()] if task == "insert" else [])
            if task == "export":
                file = next(event for event in mine if isinstance(event, FileReady))
                found = document.read_bytes(file.data, name_or_format=file.file.name).layers
                assert [node.name for node in found] == [f"layer {number}" for number in range(len(pictures()))]
    assert_killed(server, "documents", killed)
