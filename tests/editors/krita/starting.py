"""Krita with a state file that a dead server has left: the docker starts another, and again when that one dies."""

import json
import os
import signal
from pathlib import Path

from desk import docker, field, generate, ready, session, show_docker
from pieces import claim, names
from stage import new_document


@claim
def a_docker_that_nobody_sees_starts_nothing():
    """Krita shows every docker for a moment while it builds a window."""
    docker().setVisible(False)
    yield 1500
    assert session().client is None


@claim
def the_docker_starts_a_server():
    document = new_document()
    show_docker()
    yield ready
    yield from generate("a red apple")
    assert names(document) == ["Background", "a red apple (7)"]
    assert field("model").count() > 1


@claim
def when_the_server_dies_the_docker_starts_another_and_says_so():
    said = []
    session().changed.connect(lambda: said.append(docker().status.text()))
    document = new_document()
    show_docker()
    yield ready
    state = Path(os.environ["ACETATE_HOME"], "server.json")
    first = json.loads(state.read_text())["pid"]
    os.kill(first, signal.SIGKILL)
    state.unlink()  # as where there never was one
    yield lambda: not session().client.connected
    yield ready
    assert json.loads(state.read_text())["pid"] != first
    assert "Starting the Acetate server" in said, said
    yield from generate("a green apple")
    assert names(document) == ["Background", "a green apple (7)"]
