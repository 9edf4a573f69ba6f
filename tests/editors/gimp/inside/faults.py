"""Claims about what goes wrong. Each begins without a server; the plug-in starts one by its recorded command when it may."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path

from acetate.plugins.gimp.host import GimpHost
from acetate.protocol import Jobs, running_server, state_file
from editor import FAKE, PATIENCE, call, client, names, new_image, pixels, record
from gi.repository import Gimp

LAUNCH = Path(os.environ["GIMP3_DIRECTORY"], "plug-ins", "acetate-gimp", "launch.json")
STEP = 0.2
SOON = 40.0
"""Seconds within which a call ends that has nothing to wait for: on a loaded machine, plenty; what hangs never ends."""
SLOW = {"prompt": f"@sleep:{STEP} slow" if FAKE else "slow", "steps": 500}
"""A job that lasts until somebody ends it."""


@contextlib.contextmanager
def _server(*, may_start: bool = True):
    """The plug-in's own server in this process namespace, so that it can be killed from here."""
    command = json.loads(os.environ["SERVER"])
    LAUNCH.write_text(json.dumps({"command": command if may_start else ["/nonexistent/acetate"]}))
    state_file().unlink(missing_ok=True)
    try:
        yield
    finally:
        running = running_server()
        if running is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(running.pid, signal.SIGTERM)
            _until(lambda: not _alive(running.pid))
        state_file().unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return False


def _until(condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


def _meanwhile(what):
    """Run `what`, which must not call GIMP, in a thread while this one is inside a procedure; `join` raises what it raised."""
    failed = []

    def run():
        try:
            what()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def join():
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the other thread has not come to an end"
        if failed:
            raise failed[0]

    return join


def _running_job(connected) -> str:
    """The id of the job that runs, as soon as one does."""
    return _until(lambda: next((line.job for line in _jobs(connected) if line.state == "running"), None))


def _jobs(connected):
    connected.jobs()
    while not isinstance(event := connected.events.get(timeout=PATIENCE), Jobs):
        pass
    return event.jobs


def _plugin_pid() -> int:
    """The process of our plug-in that carries out a procedure just now."""

    def find():
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and b"acetate-gimp.py" in (entry / "cmdline").read_bytes():
                    return int(entry.name)
        return None

    return _until(find)


def _first_layer(image, paper):
    """A new layer; after it a server runs, started by the plug-in. On a loaded machine that takes longer than a call waits."""
    return _until(lambda: call("acetate-generate-layer", image, [paper], prompt="leaf", steps=1).layers)[0]


def without_a_server_the_plug_in_starts_one():
    with _server(), new_image(64, 64) as (image, paper):
        assert running_server() is None
        layer = _first_layer(image, paper)
        assert running_server() is not None and layer.is_valid()


def without_a_server_that_could_be_started_it_says_what_to_do():
    with _server(may_start=False), new_image(64, 64) as (image, paper):
        began = time.monotonic()
        result = call("acetate-generate-layer", image, [paper], prompt="leaf")
        assert "/nonexistent/acetate, is not there any more" in result.error, result.error
        assert "acetate plugin install gimp" in result.error, result.error
        assert time.monotonic() - began < SOON and image.get_layers() == [paper]


def a_wrong_token_is_an_error_with_what_to_do():
    with _server(), new_image(64, 64) as (image, paper):
        _first_layer(image, paper)
        state = json.loads(state_file().read_text())
        state_file().write_text(json.dumps({**state, "token": "0" * 64}))
        result = call("acetate-generate-layer", image, [paper], prompt="leaf")
        state_file().write_text(json.dumps(state))
        assert "token" in result.error, result.error


def the_plug_in_killed_ends_its_job_on_the_server():
    """GIMP's Cancel is a SIGKILL. Whoever watches a job keeps it alive, so nobody does when the plug-in goes."""
    with _server(), new_image(64, 64) as (image, paper):
        _first_layer(image, paper)

        def kill():
            with client() as connected:
                _running_job(connected)
                os.kill(_plugin_pid(), signal.SIGKILL)
                _until(lambda: not any(line.state == "running" for line in _jobs(connected)))

        join = _meanwhile(kill)
        result = call("acetate-generate-layer", image, [paper], **SLOW)
        join()
        assert int(result.status) != int(Gimp.PDBStatusType.SUCCESS)
        assert len(image.get_layers()) == 2


def a_server_that_dies_midway_is_an_error_and_the_image_stays_as_it_was():
    with _server(), new_image(64, 64) as (image, paper):
        _first_layer(image, paper)
        before = pixels(paper)

        def kill():
            with client() as connected:
                _running_job(connected)
            pid = running_server().pid
            LAUNCH.write_text(json.dumps({"command": ["/nonexistent/acetate"]}))
            os.kill(pid, signal.SIGKILL)

        join = _meanwhile(kill)
        began = time.monotonic()
        result = call("acetate-generate-layer", image, [paper], **SLOW)
        join()
        assert result.error, "the call failed"
        assert time.monotonic() - began < GimpHost.lost_seconds + SOON
        assert len(image.get_layers()) == 2 and pixels(paper) == before


def a_run_past_its_time_limit_stops_its_job_and_says_so():
    with _server(), new_image(64, 64) as (image, paper):
        _first_layer(image, paper)
        began = time.monotonic()
        result = call("acetate-generate-layer", image, [paper], **SLOW, time_limit=2)
        assert "time-limit" in result.error, result.error
        assert time.monotonic() - began < SOON
        with client() as connected:

            def states():
                connected.jobs()
                while not isinstance(event := connected.events.get(timeout=PATIENCE), Jobs):
                    pass
                return [line.state for line in event.jobs]

            _until(lambda: "running" not in states() and "waiting" not in states())


def what_the_engine_refuses_is_told_in_its_words():
    with _server(), new_image(64, 64) as (image, paper):
        _first_layer(image, paper)
        result = call("acetate-generate-layer", image, [paper], prompt="leaf", model="no-such-model")
        assert "no-such-model" in result.error, result.error
        assert len(image.get_layers()) == 2


def an_image_closed_meanwhile_leaves_the_result_in_a_new_one():
    """GIMP's calls belong to one thread, so the image is closed between the two halves of a run."""
    from acetate.plugins.bridge.form import Form
    from acetate.plugins.bridge.job import EditorJobs
    from acetate.plugins.gimp import jobs
    from acetate.plugins.gimp.job_run import follow

    with _server(), new_image(64, 64) as (image, paper):
        _first_layer(image, paper)
        with client() as connected:
            editor_jobs, form = EditorJobs(GimpHost(show=False), lambda: connected), Form(prompt="late")
            result = editor_jobs.generate(image, form, lambda: jobs.generation(form, image, paper, paper))
            image.delete()
            (layer,) = follow(result, editor_jobs, connected, PATIENCE)
        salvaged = layer.get_image()
        assert names(salvaged.get_layers()) == [layer.get_name()]
        assert record(layer)["task"] == "foreground"
        salvaged.delete()
