"""Workers, servers and clients are killed at every stage: no accepted job is lost, no layer comes twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from acetate.protocol import (
    TERMINAL,
    Cancelled,
    Client,
    Connected,
    Engine,
    Event,
    Failed,
    Finished,
    LayerReady,
    Parameters,
    Progress,
    Queued,
    Started,
)

REPEAT = [1, pytest.param(20, marks=pytest.mark.soak)]
"""Kills per stage: one in the ordinary suite, twenty in the soak."""

PROMPT = "a kite @sleep:0.01"
COUNT, STEPS = 3, 4
STAGES = ["load", "encode", "denoise", "decode"]
"""Progress may be overtaken, on a busy machine even by the end: a stage is reached with the first event at or behind it."""


def at_stage(stage: str) -> Callable[[Event], bool]:
    """The moment to strike: the first event that shows that the job has come so far."""
    if stage == "finished":
        return lambda event: isinstance(event, Finished)
    if stage == "queued":
        return lambda event: isinstance(event, Queued)
    if stage == "started":
        return lambda event: isinstance(event, Started)
    if stage == "layer":
        return lambda event: isinstance(event, LayerReady)
    return lambda event: (
        isinstance(event, (LayerReady, Finished))
        or (isinstance(event, Progress) and STAGES.index(event.stage) >= STAGES.index(stage))
    )


def submit(client: Client, seed: int, prompt: str = PROMPT) -> str:
    return client.submit("foreground", Parameters(prompt=prompt, seed=seed, count=COUNT, steps=STEPS), crop=False)


def is_over(events: list[Event], job: str) -> bool:
    return any(isinstance(event, TERMINAL) and event.job == job for event in events)


def assert_whole(events: list[Event], job: str, expected: list[Any]) -> None:
    """The job has ended well, with each layer exactly once and with the right pixels."""
    mine = [event for event in events if getattr(event, "job", None) == job]
    layers = sorted((event for event in mine if isinstance(event, LayerReady)), key=lambda event: event.layer.index)
    assert isinstance(mine[-1], Finished), mine[-1]
    assert sum(isinstance(event, TERMINAL) for event in mine) == 1
    assert [event.layer.index for event in layers] == list(range(len(expected)))
    assert [event.data for event in layers] == [picture.rgba.tobytes() for picture in expected]


def worker_of(server: Any) -> psutil.Process:
    """The engine's process, among the server's children."""
    return next(child for child in psutil.Process(server.pid).children() if "engine" in " ".join(child.cmdline()))


def strike(server: Any) -> None:
    with contextlib.suppress(StopIteration, psutil.NoSuchProcess):
        worker_of(server).kill()


@pytest.mark.parametrize("repeat", REPEAT)
@pytest.mark.parametrize("stage", ["queued", "started", "load", "encode", "denoise", "decode", "layer"])
def test_a_killed_worker_costs_no_job_and_doubles_no_layer(
    start_server: Any, until: Any, drawn: Any, stage: str, repeat: int
) -> None:
    server = start_server()
    with Client("test", address=server.address) as client:
        until(client, lambda event: isinstance(event, (Connected, Engine)))
        for seed in range(repeat):
            job = submit(client, seed)
            events = until(client, at_stage(stage))
            strike(server)
            while not is_over(events, job):
                events += until(client, lambda event: isinstance(event, TERMINAL))
            assert_whole(events, job, drawn(prompt=PROMPT, seed=seed, count=COUNT, steps=STEPS))


@pytest.mark.parametrize("repeat", REPEAT)
@pytest.mark.parametrize("stage", ["queued", "started", "load", "denoise", "decode", "layer", "finished"])
def test_a_killed_server_costs_no_job_and_doubles_no_layer(
    start_server: Any, until: Any, drawn: Any, stage: str, repeat: int
) -> None:
    """The client finds the next server by itself, through the state file, and attaches to its jobs again."""
    server = start_server()
    with Client("test") as client:
        for seed in range(repeat):
            job = submit(client, seed)
            waiting = submit(client, seed + 100)
            events = until(client, at_stage(stage))
            server.kill()
            server.start()
            for each, drawn_seed in ((job, seed), (waiting, seed + 100)):
                while not is_over(events, each):
                    events += until(client, lambda event: isinstance(event, TERMINAL))
                assert_whole(events, each, drawn(prompt=PROMPT, seed=drawn_seed, count=COUNT, steps=STEPS))


CLIENT = """
import sys
from acetate.protocol import Client, Parameters, Progress, LayerReady, Finished
stage, seed, prompt = sys.argv[1], int(sys.argv[2]), sys.argv[3]
client = Client("victim")
client.wait_until_connected()
job = client.submit("foreground", Parameters(prompt=prompt, seed=seed, count=3, steps=4), crop=False)
while True:
    event = client.events.get(timeout=120)
    stages = ["Queued", "load", "encode", "denoise", "decode", "LayerReady", "Finished"]
    reached = getattr(event, "stage", type(event).__name__)
    if reached in stages and stages.index(reached) >= stages.index(stage):
        print(job, flush=True)
"""


@pytest.mark.parametrize("repeat", REPEAT)
@pytest.mark.parametrize("stage", ["Queued", "load", "denoise", "decode", "LayerReady", "Finished"])
def test_a_killed_client_finds_its_layers_when_it_comes_back(server: Any, drawn: Any, stage: str, repeat: int) -> None:
    for seed in range(repeat):
        victim = subprocess.Popen(
            [sys.executable, "-c", CLIENT, stage, str(seed), PROMPT], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        assert victim.stdout is not None
        job = victim.stdout.readline().strip()
        victim.kill()
        victim.communicate()
        with Client("back") as client:
            events = list(client.follow(job, timeout=120))
        assert_whole(events, job, drawn(prompt=PROMPT, seed=seed, count=COUNT, steps=STEPS))


# --- one at a time ---------------------------------------------------------------------------------------------------


def test_a_job_that_kills_every_worker_fails_after_the_second(client: Client, server: Any) -> None:
    last = list(client.run("foreground", Parameters(prompt="@kill:denoise"), timeout=120))[-1]

    assert isinstance(last, Failed) and last.failure.code == "worker-crashed"
    assert "SIGKILL" in last.failure.message
    assert sum(line["event"] == "worker died" for line in server.log()) == 2


def test_a_crash_with_a_code_says_so(client: Client) -> None:
    last = list(client.run("foreground", Parameters(prompt="@exit:decode"), timeout=120))[-1]

    assert isinstance(last, Failed) and "code 9" in last.failure.message


def test_a_job_that_cost_a_worker_is_run_once_more(client: Client) -> None:
    events = list(client.run("foreground", Parameters(prompt="@exit-once:denoise"), timeout=120))

    assert [event.attempt for event in events if isinstance(event, Started)] == [1, 2]
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize(("fault", "limit"), [("@freeze:denoise", "silence_seconds"), ("@hang:denoise", "stall_seconds")])
def test_a_stuck_worker_is_replaced(start_server: Any, fault: str, limit: str) -> None:
    """Frozen: no heartbeat. Hanging: a heartbeat, but no step. The limit must leave a healthy worker time on a busy machine."""
    server = start_server(**{limit: 6})
    with Client("test", address=server.address) as client:
        failed = list(client.run("foreground", Parameters(prompt=fault), timeout=120))[-1]
        after = list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))[-1]

    assert isinstance(failed, Failed) and failed.failure.code == "worker-stuck"
    assert isinstance(after, Finished)


def test_a_worker_that_does_not_stop_a_cancelled_job_is_replaced(start_server: Any, until: Any) -> None:
    server = start_server(cancel_seconds=0.3)
    with Client("test", address=server.address) as client:
        job = client.submit("foreground", Parameters(prompt="@hang:decode"))
        until(client, lambda event: isinstance(event, Progress) and event.stage == "denoise" and event.step == event.steps)
        client.cancel(job)
        assert isinstance(until(client, lambda event: isinstance(event, (Cancelled, Failed)))[-1], Cancelled)
        assert isinstance(list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))[-1], Finished)


def test_an_engine_that_cannot_be_made_is_said_and_fails_the_jobs(start_server: Any, until: Any) -> None:
    server = start_server(engine="acetate.server.fake_engine:NoSuchEngine")
    with Client("test", address=server.address) as client:
        last = list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))[-1]
        engine = until(client, lambda event: isinstance(event, Engine) and event.state == "failed")[-1]

    assert isinstance(last, Failed) and "NoSuchEngine" in last.failure.message
    assert engine.failure is not None and "NoSuchEngine" in engine.failure.message


def test_an_idle_worker_that_dies_is_replaced_before_the_next_job(client: Client, server: Any, until: Any) -> None:
    list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))
    first = worker_of(server)
    first.kill()
    first.wait(60)
    until(client, lambda event: isinstance(event, Engine) and event.details.get("pid") not in (None, first.pid))


def test_a_server_that_dies_takes_its_workers_along(start_server: Any, until: Any) -> None:
    server = start_server()
    with Client("test", address=server.address) as client:
        client.submit("foreground", Parameters(prompt="@hang:denoise"))
        until(client, lambda event: isinstance(event, Progress) and event.stage == "encode")
        worker = worker_of(server)
        server.kill()
    gone, alive = psutil.wait_procs([worker], timeout=60)

    assert gone and not alive


def test_the_running_job_is_kept_when_the_server_is_stopped(start_server: Any, until: Any, drawn: Any) -> None:
    server = start_server()
    with Client("test") as client:
        job = submit(client, 1, "a kite @gate:go")
        until(client, lambda event: isinstance(event, Progress))
        code, printed = server.stop()
        server.start()
        server.open_gate("go")
        events = until(client, lambda event: isinstance(event, (Finished, Failed)))

    assert code == 0 and "Traceback" not in printed
    assert_whole(events, job, drawn(prompt="a kite @gate:go", seed=1, count=COUNT, steps=STEPS))


def test_a_job_that_is_not_kept_does_not_survive_the_server(start_server: Any, until: Any) -> None:
    server = start_server()
    with Client("test") as client:
        job = client.submit("foreground", Parameters(prompt="@gate:never"), keep=False)
        until(client, lambda event: isinstance(event, Progress))
        server.kill()
        server.start()
        events = until(client, lambda event: isinstance(event, (Finished, Failed, Cancelled)))

    assert isinstance(events[-1], Cancelled) and events[-1].job == job


def test_an_interrupted_upload_starts_again(start_server: Any, until: Any) -> None:
    """The server dies while megabytes are on their way to it; the client brings them to the next one."""
    from acetate.protocol import Condition, Image

    server = start_server()
    with Client("test") as client:
        until(client, lambda event: isinstance(event, Connected))
        big = Image(4096, 2048, "rgba8", os.urandom(4) * (4096 * 2048))
        job = client.submit("refine", Parameters(), {"source": Condition(big)})
        os.kill(server.pid, signal.SIGKILL)
        server.kill()
        server.start()
        events = until(client, lambda event: isinstance(event, (Finished, Failed)))

    assert isinstance(events[-1], Finished) and events[-1].job == job


def test_a_full_disk_fails_the_job_and_not_the_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The whole server lives in a mount namespace whose state folder is a 24 MiB tmpfs."""
    script = """
import json, os, pathlib, sys
from acetate.protocol import Client, Failed, Finished, Parameters
with Client("test") as client:
    filler = pathlib.Path(os.environ["ACETATE_HOME"], "filler")
    results = []
    def job(prompt):
        last = list(client.run("foreground", Parameters(prompt=prompt), crop=False, timeout=120))[-1]
        results.append(last.failure.code if isinstance(last, Failed) else type(last).__name__)
    job("@big:512")
    job("@big:4096")
    try:
        with filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError:
        pass
    job("@big:512")
    filler.unlink()
    job("@big:512")
print(json.dumps(results))
"""
    folder = tmp_path_factory.mktemp("full")
    serve = (
        "import sys; from acetate.server.serve import run; from acetate.server.settings import Settings, FAKE_ENGINE;"
        "sys.exit(run(Settings(port=0, engine=FAKE_ENGINE, restart_seconds=(0,))))"
    )
    shell = f"""
mount -t tmpfs -o size=24m none "{folder}" || exit 77
"{sys.executable}" -c '{serve}' >&2 & server=$!
while [ ! -e "{folder}/server.json" ]; do kill -0 $server || exit 1; sleep 0.1; done
"{sys.executable}" -c "$SCRIPT"; code=$?
kill $server; wait $server; exit $code
"""
    environment = {**os.environ, "ACETATE_HOME": str(folder), "SCRIPT": script}
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", shell], capture_output=True, text=True, env=environment, timeout=300
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no mount namespaces here")
    assert done.returncode == 0, done.stderr
    first, second, third, fourth = json.loads(done.stdout)

    assert (first, fourth) == ("Finished", "Finished")
    assert second == "disk-full"
    assert third == "disk-full"
