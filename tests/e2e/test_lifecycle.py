"""Starting, being found, stopping, starting again: what `acetate serve` promises to a person and to other programs."""

from __future__ import annotations

import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
from acetate import protocol
from acetate.protocol import (
    Client,
    Connected,
    Disconnected,
    Engine,
    Finished,
    Jobs,
    Parameters,
    ProtocolError,
    Started,
    Starting,
)
from acetate.protocol.client.server_discovery import START_SECONDS

SERVE = "import sys; from acetate.server.__main__ import main; sys.exit(main(['serve', '--port', '0', '--engine', 'fake']))"


def test_it_listens_before_anything_large_is_imported(tmp_path: Path) -> None:
    """What a start costs is what it imports: seconds depend on the machine, and `acetate bench wire` shows them."""
    command = [sys.executable, "-X", "importtime", "-c", SERVE]
    environment = {**os.environ, "ACETATE_HOME": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        printed = list(itertools.takewhile(lambda line: "listens" not in line, server.stdout))
        server.terminate()
        server.communicate()
    imported = {line.rpartition("|")[2].strip() for line in printed if line.startswith("import time:")}

    assert "acetate.server.http.serve" in imported and len(imported) < 750
    assert not imported & {"torch", "diffusers", "PIL.Image", "psd_tools", "yaml", "rich", "acetate.engine.engine"}


def test_an_idle_server_needs_little_memory_and_no_torch(server: Any) -> None:
    process = psutil.Process(server.pid)

    assert process.memory_info().rss < 100 << 20
    assert not any("torch" in mapped.path for mapped in process.memory_maps())


def test_only_the_person_can_read_the_token(server: Any) -> None:
    state = server.folder / "server.json"
    said = json.loads(state.read_text())

    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.folder.joinpath("server.lock").stat().st_mode) == 0o600
    assert set(said) == {"url", "token", "pid", "protocol"}
    assert len(bytes.fromhex(said["token"])) == 32 and said["pid"] == server.pid and said["protocol"] == protocol.VERSION
    assert said["token"] not in server.printed


def test_prompts_and_pictures_are_private_also_where_they_were_not_before(start_server: Any, tmp_path: Path) -> None:
    """A folder of the person's own, whose mode is theirs to choose, with files of a server that did not close them."""
    folder = tmp_path / "server"
    (folder / "blobs" / "ab").mkdir(parents=True)
    (folder / "models").mkdir()
    for name in ("jobs.sqlite", "jobs.sqlite-wal", "server.log", "server.log.1", "serve.out", "models/kite.safetensors"):
        (folder / name).touch()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    server = start_server()
    with Client("test", address=server.address) as client:
        list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))
        open_to_others = {path.name for path in folder.iterdir() if path.stat().st_mode & 0o077}

    assert open_to_others == {"models"}
    assert stat.S_IMODE((folder / "models" / "kite.safetensors").stat().st_mode) == 0o644


def test_every_start_has_a_new_token(start_server: Any) -> None:
    server = start_server()
    first = server.address.token
    server.stop()

    assert server.start().address.token != first


def test_a_second_start_says_that_one_is_running_and_where(server: Any) -> None:
    second = subprocess.run(
        [sys.executable, "-c", SERVE],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "ACETATE_HOME": str(server.folder)},
    )

    assert second.returncode == 0
    assert server.address.url in second.stdout and str(server.pid) in second.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_leaves_no_state_file(start_server: Any, until: Any, number: signal.Signals) -> None:
    server = start_server()
    with Client("test", address=server.address) as client:
        list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))
        code, printed = server.stop(number)
        lost = until(client, lambda event: isinstance(event, Disconnected))[-1]

    assert code == 0
    assert not (server.folder / "server.json").exists()
    assert "foreground  finished" in printed and "Traceback" not in printed
    assert isinstance(lost, Disconnected) and lost.retry_in is not None


def test_a_job_of_the_command_line_ends_with_its_server(server: Any, until: Any, tmp_path: Path) -> None:
    """In one clear line, and not after half a minute of waiting for a server that somebody has stopped."""
    words = ["generate", "a kite @gate:never", "-o", str(tmp_path / "kite.png")]
    with subprocess.Popen([sys.executable, "-m", "acetate.server", *words], stderr=subprocess.PIPE, text=True) as command:
        with Client("look", address=server.address) as look:
            running = False
            while not running:
                look.jobs()
                jobs = until(look, lambda event: isinstance(event, Jobs))[-1].jobs
                running = any(line.state == "running" for line in jobs)
        server.stop()
        began = time.monotonic()
        _, said = command.communicate(timeout=120)

    assert command.returncode == 1
    assert "acetate: the server was stopped\n" in said and "Traceback" not in said
    assert time.monotonic() - began < START_SECONDS


def test_a_killed_servers_place_is_free(start_server: Any) -> None:
    server = start_server()
    server.kill()
    assert (server.folder / "server.json").exists()

    server.start()


def test_health_is_one_http_request(server: Any) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/healthz", timeout=60) as answer:
        said = json.load(answer)

    assert said["version"] and said["queue"] == 0 and said["engine"] in ("starting", "ready")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_other_computers_are_let_in_only_on_purpose(tmp_path: Path, host: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "acetate.server", "serve", "--host", host, "--port", "0"],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "ACETATE_HOME": str(tmp_path)},
    )

    assert done.returncode == 2
    assert "--tls-certificate" in done.stderr and "--insecure" in done.stderr


def test_insecure_remote_use_says_what_it_means(start_server: Any) -> None:
    server = start_server(host="0.0.0.0", insecure=True)
    with Client("test", address=server.address) as client:
        assert client.connected
    _, printed = server.stop()

    assert "Nothing is encrypted" in printed


def test_tls_is_spoken_with_the_certificate(start_server: Any, tmp_path: Path, until: Any) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key)]
        + [
            "-out",
            str(certificate),
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("no openssl here")
    server = start_server(tls_certificate=str(certificate), tls_key=str(key))

    assert server.address.url.startswith("wss://")
    with Client("test", address=server.address) as client:
        assert isinstance(list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))[-1], Finished)
    stranger = Client("stranger", address=protocol.Address(server.address.url, server.address.token))
    stranger.connect()
    (refused,) = until(stranger, lambda event: isinstance(event, Disconnected))
    stranger.close()
    assert "certificate" in refused.failure.message


def test_models_leave_memory_after_an_idle_time(start_server: Any, until: Any) -> None:
    server = start_server(idle_seconds=0.2)
    with Client("test", address=server.address) as client:
        list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))

        def unloaded() -> bool:
            with Client("look", address=server.address) as look:
                events = until(look, lambda event: isinstance(event, (Connected, Engine)))
                engine = look.welcome.engine if isinstance(events[-1], Connected) and look.welcome else events[-1]
                return not engine.models[0]["loaded"]

        deadline = time.monotonic() + 120
        while not unloaded():
            assert time.monotonic() < deadline


def test_a_model_is_loaded_beforehand(start_server: Any, until: Any) -> None:
    server = start_server(preload=["sketchpad"])
    deadline = time.monotonic() + 120
    while True:
        with Client("test", address=server.address) as client:
            events = until(client, lambda event: isinstance(event, (Connected, Engine)))
            engine = client.welcome.engine if isinstance(events[-1], Connected) and client.welcome else events[-1]
            if engine.models and engine.models[0]["loaded"]:
                return
        assert time.monotonic() < deadline


def test_a_model_that_is_added_reaches_clients_that_are_connected_and_one_that_is_removed_leaves(
    start_server: Any, until: Any
) -> None:
    server = start_server(models_seconds=0.2, devices=["cpu", "cuda:1"])
    model = server.folder / "models" / "inker.safetensors"
    model.parent.mkdir(exist_ok=True)

    def offered(engine: Any) -> list[str]:
        return [model["name"] for model in engine.models]

    with Client("test", address=server.address) as client:
        model.write_bytes(b"weights")
        until(client, lambda event: isinstance(event, Engine) and offered(event) == ["sketchpad", "inker"])
        model.unlink()
        until(client, lambda event: isinstance(event, Engine) and offered(event) == ["sketchpad"])


def test_the_next_start_knows_the_models_before_the_engine_is_there(start_server: Any, until: Any) -> None:
    server = start_server()
    with Client("test", address=server.address) as client:
        list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))
    server.stop()
    server.settings["engine"] = "acetate.server.worker.fake_engine:NoSuchEngine"
    server.start()
    with Client("test", address=server.address) as client:
        assert client.welcome is not None
        assert client.welcome.engine.models[0]["name"] == "sketchpad"


def test_the_log_is_json_without_prompts_and_is_rotated(start_server: Any) -> None:
    server = start_server(log_bytes=2000, log_files=2)
    with Client("test", address=server.address) as client:
        for _ in range(20):
            list(client.run("foreground", Parameters(prompt="a secret kite"), timeout=120))
    server.stop()
    files = sorted(server.folder.glob("server.log*"))

    assert [file.name for file in files] == ["server.log", "server.log.1", "server.log.2"]
    assert all(file.stat().st_size <= 2000 for file in files)
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert {"time", "level", "event"} <= set(lines[0])
    assert "secret" not in "".join(file.read_text() for file in files)


# --- found, or started, by the client --------------------------------------------------------------------------------


def test_a_client_starts_a_server_when_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: Any) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    with Client("test", launch=[sys.executable, "-c", SERVE]) as client:
        events = until(client, lambda event: isinstance(event, Connected))
        running = protocol.running_server()
        assert running is not None
        try:
            assert isinstance(events[0], Starting)
            assert isinstance(list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))[-1], Finished)
        finally:
            client.close()  # else it starts the next one
            started = psutil.Process(running.pid)
            started.terminate()
            started.wait(60)


def test_whoever_may_start_a_server_goes_on_after_one_was_stopped(start_server: Any) -> None:
    server = start_server()
    with Client("test", launch=[sys.executable, "-c", SERVE]) as client:
        following = client.follow(client.submit("foreground", Parameters(prompt="a kite @gate:go")), timeout=120)
        while not isinstance(next(following), Started):
            pass
        server.stop()
        server.open_gate("go")
        try:
            assert isinstance(list(following)[-1], Finished)
        finally:
            client.close()  # else it starts the next one
            running = protocol.running_server()
            assert running is not None
            started = psutil.Process(running.pid)
            started.terminate()
            started.wait(60)


def test_two_clients_that_start_a_server_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    clients = [Client(name, launch=[sys.executable, "-c", SERVE]) for name in "ab"]
    for client in clients:
        client.connect()
    pids = set()
    for client in clients:
        client.wait_until_connected()
        running = protocol.running_server()
        assert running is not None
        pids.add(running.pid)
        client.close()
    (pid,) = pids
    started = psutil.Process(pid)
    started.terminate()
    started.wait(60)


def test_a_server_that_cannot_be_started_is_said_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    client = Client("test", launch=[sys.executable, "-c", "import sys; sys.exit('the moon is full')"])
    client.connect()
    failure = until(client, lambda event: isinstance(event, Disconnected))[-1].failure
    with pytest.raises(ProtocolError) as error:
        client.wait_until_connected(timeout=0)
    client.close()

    assert error.value.failure == failure and failure.code == "cannot-start"
    assert "the moon is full" in failure.message
    assert "Start it by hand" in failure.hint


def test_without_a_server_and_without_leave_to_start_one_the_remedy_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    client = Client("test")
    client.connect()
    failure = until(client, lambda event: isinstance(event, Disconnected))[-1].failure
    client.close()

    assert failure.code == "no-server" and "acetate serve" in failure.hint


def test_an_occupied_port_is_said_in_one_line(server: Any, tmp_path: Path) -> None:
    command = SERVE.replace("'0'", f"'{server.port}'")
    environment = {**os.environ, "ACETATE_HOME": str(tmp_path / "other")}
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=120, env=environment)

    assert done.returncode == 2
    assert str(server.port) in done.stderr and len(done.stderr.splitlines()) == 1
