"""`acetate jobs`: the running server's jobs that run, wait, or have results that nobody has taken; and cancelling them."""

from __future__ import annotations

import argparse
import contextlib
import json
import queue
from collections.abc import Iterator
from importlib import metadata

from acetate.protocol import TERMINAL, Client, Error, Jobs, ProtocolError
from acetate.protocol.messages import JobLine

from ..command_line import json_option, running
from ..command_line.exit_codes import FailedError, UsageError
from ..log import printable

ANSWER_SECONDS = 30.0
SHORTEST = 4
"""The fewest characters by which a job may be named."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add one word that says what to do; without it, all jobs are listed."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="the jobs that run, wait, or have results that nobody has taken")
    cancel = actions.add_parser("cancel", help="stop jobs that run or wait")
    cancel.add_argument("jobs", nargs="*", metavar="JOB", help="a job's id, or its first characters")
    cancel.add_argument("--all", action="store_true", help="every job that runs or waits")
    json_option.add_option(parser, actions.choices.values())


def run(options: argparse.Namespace) -> int:
    """Do what the options ask for. Raises `NotRunningError` without a server, `UsageError` for a job that is not there."""
    with _connected() as client:
        jobs = _list(client)
        if options.action == "cancel":
            ended = {job.job: _cancel(client, job.job) for job in _chosen(options, jobs)}
            print(json.dumps(ended) if options.json else "\n".join(f"{job}  {how}" for job, how in ended.items()))
        elif options.json:
            print(json.dumps([_plain(job) for job in jobs], indent=2))
        else:
            for job in jobs:
                print(printable(f"{job.job:32}  {job.state:8}  {job.task:18}  {job.prompt[:60]}".rstrip()))
    return 0


@contextlib.contextmanager
def _connected() -> Iterator[Client]:
    found = running.find()
    running.status(found)  # says so at once when nothing answers
    client = Client(f"command line {metadata.version('acetate')}", address=found.address)
    try:
        client.wait_until_connected()
        yield client
    finally:
        client.close()


def _list(client: Client) -> tuple[JobLine, ...]:
    client.jobs()
    while True:
        try:
            event = client.events.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            raise FailedError(f"the server did not list its jobs within {ANSWER_SECONDS:g} s") from None
        if isinstance(event, Jobs):
            return event.jobs
        if isinstance(event, Error) and event.about == "jobs":
            raise ProtocolError(event.failure.code, event.failure.message, event.failure.hint)


def _chosen(options: argparse.Namespace, jobs: tuple[JobLine, ...]) -> list[JobLine]:
    """The jobs that the options name. Raises `UsageError` for a name that fits none, or several."""
    unfinished = [job for job in jobs if job.state in ("running", "waiting")]
    if options.all == bool(options.jobs):
        raise UsageError("jobs cancel takes the ids of jobs, or --all", "acetate jobs lists them")
    if options.all:
        return unfinished
    found = []
    for name in options.jobs:
        fitting = [job for job in unfinished if job.job == name or (len(name) >= SHORTEST and job.job.startswith(name))]
        if len(fitting) != 1:
            how = "fits no job" if not fitting else f"fits {len(fitting)} jobs"
            raise UsageError(f"{name} {how} that runs or waits", "acetate jobs lists them")
        found += fitting
    return list(dict.fromkeys(found))


def _cancel(client: Client, job: str) -> str:
    """How the job has ended: `cancelled`, unless something else came first; `stopping` if its present step takes long."""
    client.attach(job)
    client.cancel(job)
    with contextlib.suppress(TimeoutError):
        for event in client.follow(job, timeout=ANSWER_SECONDS):
            if isinstance(event, TERMINAL):
                return type(event).__name__.lower()
    return "stopping"


def _plain(job: JobLine) -> dict[str, object]:
    return {name: getattr(job, name) for name in ("job", "task", "state", "session", "position", "prompt")}
