"""`acetate stop`: end the running server; a job that runs is waited for, those that wait are kept for the next start."""

from __future__ import annotations

import argparse
import json

from ..command_line import json_option, running
from ..command_line.exit_codes import FailedError

END_SECONDS = 20.0
"""How long an end may take beside the jobs: connections are closed, workers ended."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add whether to wait for the running job."""
    parser.add_argument("--now", action="store_true", help="do not wait for the running job; it runs again after the next start")
    json_option.add_option(parser)


def run(options: argparse.Namespace) -> int:
    """Ask the server to end and wait until it has. Raises `NotRunningError` without one, `FailedError` if it does not."""
    ending = running.Ending(running.find())
    seconds = ending.ask(*(["now"] if options.now else []))
    if not ending.wait(seconds + END_SECONDS):
        raise FailedError(
            f"the server (process {ending.running.pid}) has not ended after {seconds + END_SECONDS:g} s",
            "Do not wait for its job: acetate stop --now",
        )
    pid = ending.running.pid
    print(json.dumps({"stopped": pid}) if options.json else f"the server (process {pid}) has ended")
    return 0
