"""The worker process of a device in a Ray cluster: the same pipe as any worker's, and a driver of the cluster behind it.

Knows the command line and when to wait; what a job is, `ray_jobs.py` knows.
"""

from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path

from acetate.protocol import Failure

from ..worker import worker_messages
from ..worker.process import Backend, BackendLostError, Pipe, serve
from .cluster import CPU, GPU, Cluster
from .ray_jobs import RayJobs

LOOK_SECONDS = 2.0
"""How often the cluster is asked what it has."""


def main(arguments: list[str] | None = None) -> None:
    """Run a worker until its server ends."""
    options = _options().parse_args(arguments)
    serve(lambda pipe: _backend(options, pipe))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m acetate.server.ray.process")
    parser.add_argument("--address", required=True)
    parser.add_argument("--device")
    parser.add_argument("--incoming", type=Path, required=True)
    parser.add_argument("--settings", type=json.loads, default={}, help="what the worker there goes by, as JSON")
    return parser


def _backend(options: argparse.Namespace, pipe: Pipe) -> Backend:
    resource = CPU if options.device == "cpu" else GPU
    try:
        cluster = Cluster(options.address, resource)
    except (ConnectionError, OSError, RuntimeError) as error:
        message = f"there is no Ray cluster at {options.address}: {error}"
        hint = "On this machine: ray start --address=HEAD:6379, or --head for a new cluster."
        raise BackendLostError(Failure("engine-unavailable", message, hint)) from error
    if resource == GPU:
        threading.Thread(target=_tell_room, args=(cluster, pipe), name="room", daemon=True).start()
    return RayJobs(cluster, options.settings, options.device, options.incoming, lambda: _wait(cluster, resource, pipe))


def _wait(cluster: Cluster, resource: str, pipe: Pipe) -> None:
    """Return when a device is free; say that there is none before waiting for one."""
    if not cluster.has_room():
        message = f"no {resource} of the Ray cluster is free"
        hint = "`ray status` says who uses them. A machine that joins is used at once."
        pipe.send(worker_messages.Waiting(Failure("engine-unavailable", message, hint)))
        while not cluster.has_room():
            threading.Event().wait(LOOK_SECONDS)


def _tell_room(cluster: Cluster, pipe: Pipe) -> None:
    """Say how many devices the cluster has, whenever that has changed."""
    told = -1
    while True:
        if (found := cluster.devices()) != told:
            told = found
            pipe.send(worker_messages.Room(found))
        threading.Event().wait(LOOK_SECONDS)


if __name__ == "__main__":
    main()
