"""Krita's start and end, beside a server or without one, and its own importer of plug-ins."""

from __future__ import annotations

import contextlib
import http.server
import json
import sys
import threading

import pytest
from acetate.plugins.hosts import KRITA
from acetate.plugins.install import LAUNCH, zip_plugin
from acetate.protocol import Address, Client, Finished

pytestmark = pytest.mark.editors


def assert_all_hold(outcome):
    assert outcome.results, outcome.folder
    wrong = [f"{name}: {found['error']}" for name, found in outcome.results.items() if not found["ok"]]
    assert not wrong, "\n".join(wrong)


def record(computer, command):
    package = computer.home / ".local/share/krita/pykrita/acetate"
    (package / LAUNCH).write_text(json.dumps({"command": command}))


def test_without_a_server_the_docker_starts_the_recorded_one(computer):
    record(computer, ["chroot", "/host", sys.executable, "-m", "acetate.server", "serve", "--port", "0", "--engine", "fake"])
    assert_all_hold(computer.run("starting"))


def test_where_no_server_can_be_started_the_command_is_shown(computer):
    (computer.share / "acetate/server.json").unlink(missing_ok=True)
    record(computer, ["/nowhere/acetate", "serve"])
    assert_all_hold(computer.run("stranded"))


@contextlib.contextmanager
def impostor(computer):
    """A web server on the port that a killed server's state file names."""
    quiet = type("Quiet", (http.server.BaseHTTPRequestHandler,), {"log_message": lambda *_: None})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), quiet) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        url = f"ws://127.0.0.1:{listening.server_address[1]}/"
        folder = computer.share / "acetate"
        folder.mkdir(exist_ok=True)
        (folder / "server.json").write_text(json.dumps({"url": url, "token": "of the dead", "pid": 4194300, "protocol": 1}))
        yield
        listening.shutdown()


def test_beside_a_dead_servers_state_file_and_another_program_on_its_port_the_reason_is_shown(computer):
    with impostor(computer):
        assert_all_hold(computer.run("impostor"))


def test_a_dead_servers_state_file_is_replaced_by_that_of_a_server_of_our_own(computer):
    record(computer, ["chroot", "/host", sys.executable, "-m", "acetate.server", "serve", "--port", "0", "--engine", "fake"])
    with impostor(computer):
        assert_all_hold(computer.run("starting"))


def test_krita_imports_the_zip(computer):
    zip_plugin(KRITA, computer.share)
    assert_all_hold(computer.run("importing"))


def test_jobs_that_are_there_when_krita_is_closed_are_met_by_the_next_one_and_wait_in_its_history(computer, server):
    assert_all_hold(computer.run("leaving", server=server))
    assert_all_hold(computer.run("meeting", server=server))
    job = (computer.share / "out/job").read_text()
    said = json.loads((server.folder / "server.json").read_text())
    with Client("test", address=Address(said["url"], said["token"])) as client:
        (server.folder / "left").touch()
        *_, last = client.follow(job, timeout=300)
        assert isinstance(last, Finished)
    assert_all_hold(computer.run("returning", server=server))
