"""Krita's start and end, beside a server or without one."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import sys
import threading

import pytest
from acetate.plugins.install import LAUNCH
from acetate.protocol import Address, Client, Finished, proof
from websockets.sync.server import serve

pytestmark = pytest.mark.editors


def assert_all_hold(outcome):
    assert outcome.results, outcome.folder
    wrong = [f"{name}: {found['error']}" for name, found in outcome.results.items() if not found["ok"]]
    assert not wrong, "\n".join(wrong)


def record(computer, command):
    package = computer.home / ".local/share/krita/pykrita/acetate"
    (package / LAUNCH).write_text(json.dumps({"command": command}))


TOKEN = "of the dead"


@contextlib.contextmanager
def web_server():
    """Another program on the port that a killed server's state file names; yields its port."""
    quiet = type("Quiet", (http.server.BaseHTTPRequestHandler,), {"log_message": lambda *_: None})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), quiet) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening.server_address[1]
        listening.shutdown()


@contextlib.contextmanager
def silent_server():
    """It takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@contextlib.contextmanager
def server_of_another_version():
    """It knows the token, and greets in words of another version."""

    def prove(connection, request):
        if proof.CHALLENGE not in request.headers:
            return None
        answer = connection.respond(http.HTTPStatus.OK, "{}")
        answer.headers[proof.ANSWER] = proof.proof(proof.digest_of(TOKEN), request.headers[proof.CHALLENGE])
        return answer

    def greet(connection):
        connection.recv()
        connection.send('{"type": "welcome", "protocol": 99}')

    with serve(greet, "127.0.0.1", 0, process_request=prove) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening.socket.getsockname()[1]


def state_file_of_the_dead(port):
    return json.dumps({"url": f"ws://127.0.0.1:{port}/", "token": TOKEN, "pid": 4194300, "protocol": 1})


def test_where_no_server_can_be_started_it_is_said_why_there_is_no_connection_and_what_to_do(computer):
    (computer.share / "acetate").mkdir(exist_ok=True)
    (computer.share / "acetate/server.json").unlink(missing_ok=True)
    record(computer, ["/nowhere/acetate", "serve"])
    with web_server() as web, silent_server() as silent, server_of_another_version() as other:
        left = {name: state_file_of_the_dead(port) for name, port in (("web", web), ("silent", silent), ("other", other))}
        assert_all_hold(computer.run("stranded,impostor", env={"LEFT": json.dumps(left)}))


def test_a_dead_servers_state_file_is_replaced_by_a_server_that_the_docker_starts(computer):
    record(computer, ["chroot", "/host", sys.executable, "-m", "acetate.server", "serve", "--port", "0", "--engine", "fake"])
    (computer.share / "acetate").mkdir(exist_ok=True)
    with web_server() as web:
        (computer.share / "acetate/server.json").write_text(state_file_of_the_dead(web))
        assert_all_hold(computer.run("starting"))


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
