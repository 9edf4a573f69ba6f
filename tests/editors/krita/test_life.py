"""Krita's start and end, beside a server or without one, and its own importer of plug-ins."""

from __future__ import annotations

import json
import sys

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


def test_krita_imports_the_zip(computer):
    zip_plugin(KRITA, computer.share)
    assert_all_hold(computer.run("importing"))


def test_a_job_that_runs_when_krita_is_closed_waits_in_the_history_of_the_next_one(computer, server):
    assert_all_hold(computer.run("leaving", server=server))
    job = (computer.share / "out/job").read_text()
    said = json.loads((server.folder / "server.json").read_text())
    with Client("test", address=Address(said["url"], said["token"])) as client:
        (server.folder / "left").touch()
        *_, last = client.follow(job, timeout=300)
        assert isinstance(last, Finished)
    assert_all_hold(computer.run("returning", server=server))
