"""`acetate restart`: end the running server and start it again with the options, folder and environment that it had."""

from __future__ import annotations

import argparse
import json

from ..command_line import json_option, running
from ..command_line.exit_codes import FailedError
from .stop import END_SECONDS

START_SECONDS = 30.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add whether to wait for the running job."""
    parser.add_argument("--now", action="store_true", help="do not wait for the running job; it runs again after the start")
    json_option.add_option(parser)


def run(options: argparse.Namespace) -> int:
    """Ask the server to start again and wait until it answers. Raises `NotRunningError` without one, `FailedError` if it does
    not come back."""
    ending = running.Ending(running.find())
    seconds = ending.ask("restart", *(["now"] if options.now else []))
    successor = ending.wait_for_successor(seconds + END_SECONDS + START_SECONDS)
    if successor is None or successor.address == ending.running.address:
        raise FailedError("the server has not come back", "Start it by hand: acetate serve; its log has the details.")
    said = running.status(successor)
    if options.json:
        print(json.dumps(said, indent=2))
    else:
        print(f"the server runs again at {said['url']} (process {said['pid']}, version {said['version']})")
    return 0
