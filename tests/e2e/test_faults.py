"""What breaks a job, a worker, the server or its disk, one at a time. Kills at every stage are in `test_kills.py`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from acetate.protocol import Cancelled, Client, Connected, Engine, Failed, Finished, Parameters, Progress, Started


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
    server = start_server(engine="acetate.server.worker.fake_engine:NoSuchEngine")
    with Client("test", address=server.address) as client:
        last = list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))[-1]
        engine = until(client, lambda event: isinstance(event, Engine) and event.state == "failed")[-1]

    assert isinstance(last, Failed) and "NoSuchEngine" in last.failure.message
    assert engine.failure is not None and "NoSuchEngine" in engine.failure.message


def test_a_device_that_is_gone_fails_no_job_and_is_used_again_when_it_is_back(
    start_server: Any, until: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "gone-cuda:7").touch()
    server = start_server(devices=["cpu", "cuda:7"], device_pause_seconds=[0.2])
    with Client("test", address=server.address) as client:
        jobs = {client.submit("foreground", Parameters(prompt="a kite", seed=seed)) for seed in range(6)}
        events: list[Any] = []
        while jobs - {event.job for event in events if isinstance(event, Finished)}:
            events += until(client, lambda event: isinstance(event, (Finished, Failed)))
        if not any(map(lacks_a_device, events)):  # its worker may start later than all jobs end
            events += until(client, lacks_a_device)
        (folder / "gone-cuda:7").unlink()
        until(client, lambda event: isinstance(event, Engine) and all(device.state == "ready" for device in event.devices))

    assert not any(isinstance(event, Failed) or isinstance(event, Engine) and event.state == "failed" for event in events)
    shown = {device.name: device for device in next(filter(lacks_a_device, events)).devices}
    assert shown["cpu"].state != "failed" and shown["cuda:7"].failure is not None
    assert shown["cuda:7"].failure.code == "engine-unavailable" and "is not available" in shown["cuda:7"].failure.message


def lacks_a_device(event: Any) -> bool:
    return isinstance(event, Engine) and any(device.state == "failed" for device in event.devices)


def test_an_idle_worker_that_dies_is_replaced_before_the_next_job(client: Client, server: Any, until: Any) -> None:
    list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))
    first = server.worker()
    first.kill()
    first.wait(60)
    until(client, lambda event: isinstance(event, Engine) and event.details.get("pid") not in (None, first.pid))


def test_a_server_that_dies_takes_its_workers_along(start_server: Any, until: Any) -> None:
    server = start_server()
    with Client("test", address=server.address) as client:
        client.submit("foreground", Parameters(prompt="@hang:denoise"))
        until(client, lambda event: isinstance(event, Progress) and event.stage == "encode")
        worker = server.worker()
        server.kill()
    gone, alive = psutil.wait_procs([worker], timeout=60)

    assert gone and not alive


def test_the_running_job_is_kept_when_the_server_is_stopped(start_server: Any, until: Any, drawn: Any, layers_of: Any) -> None:
    asked = {"prompt": "a kite @gate:go", "seed": 1}
    server = start_server()
    with Client("test") as client:
        job = client.submit("foreground", Parameters(**asked), crop=False)
        until(client, lambda event: isinstance(event, Progress))
        code, printed = server.stop()
        server.start()
        server.open_gate("go")
        events = until(client, lambda event: isinstance(event, (Finished, Failed)))

    assert code == 0 and "Traceback" not in printed
    assert [event.data for event in layers_of(events, job)] == [picture.rgba.tobytes() for picture in drawn(**asked)]


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
        "import sys; from acetate.server.http.serve import run; from acetate.server.settings import Settings, FAKE_ENGINE;"
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
