"""`acetate status`: whether a server runs here, where, since when, on what, and what it does."""

from __future__ import annotations

import argparse
import json
import time
from importlib import metadata
from typing import Any

from ..command_line import json_option, running
from ..command_line.exit_codes import NOT_RUNNING, NotRunningError
from ..log import printable


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the form of the answer."""
    json_option.add_option(parser)


def run(options: argparse.Namespace) -> int:
    """Print what the server says about itself; the code is 3 when none runs. Raises `NotRunningError` then, except for JSON."""
    try:
        said = running.status(running.find())
    except NotRunningError as error:
        if not options.json:
            raise
        print(json.dumps({"running": False, "reason": str(error)}))
        return NOT_RUNNING
    print(json.dumps(said, indent=2) if options.json else "\n".join(lines(said, time.time(), metadata.version("acetate"))))
    return 0


def lines(said: dict[str, Any], now: float, installed: str) -> list[str]:
    """The answer as a person reads it. `installed` is this program's own version."""
    devices = ", ".join(f"{each['device']} {each['state']}" for each in said["devices"])
    waiting = sum(said["waiting_jobs"].values())
    clients = ", ".join(client["client"] for client in said["clients"])
    found = [
        f"running    {said['url']} (process {said['pid']}, version {said['version']}, since {_clock(said['since'], now)})",
        f"engine     {said['engine']}: {devices}",
        f"jobs       {len(said['running_jobs'])} running, {waiting} waiting",
        f"clients    {len(said['clients'])}{f': {clients}' if clients else ''}",
        f"memory     {said['memory_bytes'] / 2**20:,.0f} MiB with its workers",
    ]
    if said["stopping"]:
        found.append("stopping   it ends when its running jobs are over")
    if said["version"] != installed:
        found.append(f"note       version {installed} is installed; acetate restart runs it")
    return [printable(line) for line in found]


def _clock(since: float, now: float) -> str:
    """`14:03:12`, with the date when that is another day."""
    then, today = time.localtime(since), time.localtime(now)
    return time.strftime("%H:%M:%S" if then[:3] == today[:3] else "%Y-%m-%d %H:%M:%S", then)
