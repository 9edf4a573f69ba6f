"""As many lanes as the Ray cluster has devices. Knows counts; what happens in a lane, `jobs/` knows."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from functools import partial

from acetate.vocabulary.engine_options import ENGINE_OPTIONS

from ..jobs.lanes import Lane, Lanes
from ..settings import Settings
from ..worker.local_worker import LocalWorker

SHARED = (
    "engine", *ENGINE_OPTIONS, "preview_seconds", "preview_share", "start_seconds", "silence_seconds", "stall_seconds",
    "step_seconds", "cancel_seconds", "stop_seconds", "stop_silence_seconds", "start_failures",
)  # fmt: skip
"""The settings that a worker on another machine goes by."""


def ray_command(settings: Settings) -> tuple[str, ...]:
    """The module and the arguments of the process that stands here for a device there."""
    assert settings.ray is not None
    shared = json.dumps({name: getattr(settings, name) for name in SHARED})
    incoming = str(settings.blobs / "incoming")
    cpu = ("--device", "cpu") if settings.ray_workers is not None else ()
    return ("acetate.server.ray.process", "--address", settings.ray, "--incoming", incoming, "--settings", shared, *cpu)


def refusal_of_ray(settings: Settings) -> str | None:
    """Why no cluster can be used as these settings ask for; `None` when one can, or none is asked for."""
    if settings.ray is None:
        return "--ray-workers needs --ray" if settings.ray_workers is not None else None
    if importlib.util.find_spec("ray") is None:
        return f"--ray {settings.ray} needs Ray, which is not installed: pip install 'acetate[ray]'"
    if "://" in settings.ray:
        return f"--ray is {settings.ray!r}; it must be auto, or HOST:PORT of the head, whose cluster this machine has joined"
    if settings.ray_workers is not None and settings.ray_workers < 1:
        return f"--ray-workers is {settings.ray_workers}; it must be at least 1"
    return None


class RayPool:
    """The lanes of the cluster's devices: a fixed number on CPUs, or one for each GPU, as they come and go."""

    def __init__(self, lanes: Lanes, settings: Settings) -> None:
        self._lanes, self._settings = lanes, settings
        self._mine: list[Lane] = []
        self._numbers = 0
        self._ending: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Add the first lanes. That of a GPU finds out how many there are."""
        for _ in range(self._settings.ray_workers or 1):
            self._add()

    def resize(self, devices: int) -> None:
        """Have a lane for each of so many devices, and at least one, which looks out for the next. No lane with a device ends."""
        wanted = max(1, devices)
        while len(self._mine) < wanted:
            self._add()
        idle = [lane for lane in self._mine if lane.device is not None and lane.device.state != "ready"]
        for lane in idle[: max(0, len(self._mine) - wanted)]:
            self._mine.remove(lane)
            ending = asyncio.create_task(self._lanes.remove(lane))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    def _add(self) -> None:
        make = partial(LocalWorker, self._settings, f"ray-{self._numbers}", ray_command(self._settings))
        self._numbers += 1
        self._mine.append(self._lanes.add("ray", make, self.resize))
