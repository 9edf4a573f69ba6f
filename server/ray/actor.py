"""What runs on a device of the cluster: an actor that owns a worker process, as the server owns one of its own machine.

A process of its own keeps what the server relies on: torch may die of any signal, the actor lives to say of which one; a job that
hangs is killed; what libraries print goes to a file. Knows the worker and bytes; does not import Ray, which calls it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from acetate.protocol import Failure
from acetate.protocol import messages as wire
from numpy.typing import NDArray

from ..settings import Settings
from ..worker import worker_messages
from ..worker.local_worker import LocalWorker, engine_command
from ..worker.runner import JobBrokeError, OnNews, Runner, RunnerError
from ..worker.worker_messages import pack

Pixels = NDArray[np.uint8]
"""Bytes in one dimension: an array, because Ray shares arrays between processes and copies `bytes`."""
PREFIX = "acetate-ray-"
KEPT = 32
"""How many pictures that jobs have worked on lie on the node, for the next job on the same ones."""


class DeviceActor:
    """One device's worker, with pictures that arrive as objects and leave as objects."""

    def __init__(self, settings: Mapping[str, Any], device: str | None, make: Callable[[OnNews], Runner] | None = None):
        """`settings` are those of the server that concern a worker; `device` is what the engine is to use, `None` the best."""
        _sweep(Path(tempfile.gettempdir()))
        folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
        self._settings = Settings(folder=Path(folder), **settings)
        (self._settings.blobs / "incoming").mkdir(parents=True)
        self._ready: worker_messages.Ready | None = None
        self._news = asyncio.Event()
        local = partial(LocalWorker, self._settings, "engine", engine_command(self._settings, device))
        self._worker = (make or local)(self._on_news)
        self._pictures: OrderedDict[str, Path] = OrderedDict()

    async def describe(self, version_of_server: str) -> bytes:
        """Start the worker if it does not run; a packed `Ready`, or `Unusable` with the reason."""
        if version("acetate") != version_of_server:
            message = f"{socket.gethostname()} has acetate {version('acetate')}, the server {version_of_server}"
            hint = f"On that machine: pip install acetate=={version_of_server}"
            return pack(worker_messages.Unusable(Failure("engine-unavailable", message, hint)))
        known, self._ready = self._ready, None
        try:
            await self._worker.start()
            if self._ready is None:  # it runs already, and says nothing unasked
                await self._described()
        except RunnerError as error:
            return pack(worker_messages.Unusable(error.failure))
        return pack(self._ready or known or worker_messages.Unusable(Failure("engine-unavailable", "the engine is gone")))

    async def _described(self) -> None:
        """Have the engine look again; return when it has, or is lost."""
        self._news.clear()
        await self._worker.refresh()
        waiting = [asyncio.create_task(self._news.wait()), asyncio.create_task(self._worker.gone())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def run(
        self, packed: bytes, pictures: Mapping[str, Awaitable[Pixels]]
    ) -> AsyncGenerator[tuple[bytes, Pixels | None], None]:
        """Run a packed `RunJob`, yielding packed reports, each with the pixels of a finished layer.

        `pictures` are those that the job works on, by content id. The last report is `Done`, `Cancelled`, `Failed`, or
        `Unusable` when the worker is gone.
        """
        command = worker_messages.unpack_command(packed[4:])
        assert isinstance(command, worker_messages.RunJob)
        try:
            files = {sha256: {**file, "path": str(await self._kept(sha256, pictures))} for sha256, file in command.files.items()}
            async for outcome, payload in self._worker.run(replace(command, files=files)):
                yield pack(outcome, payload), self._pixels(outcome)
        except JobBrokeError as error:
            yield pack(wire.Failed(command.job, error.failure), error.details), None
        except RunnerError as error:
            yield pack(worker_messages.Unusable(error.failure)), None

    async def stop(self, job: str) -> None:
        """Cancel the running job."""
        await self._worker.stop(job)

    async def preload(self, model: str) -> None:
        await self._worker.preload(model)

    async def unload(self) -> None:
        await self._worker.unload()

    def _on_news(self, news: worker_messages.News) -> None:
        if isinstance(news, worker_messages.Ready):
            self._ready = replace(news, device=f"{socket.gethostname()} {news.device}")
            self._news.set()

    async def _kept(self, sha256: str, pictures: Mapping[str, Awaitable[Pixels]]) -> Path:
        """The file of a picture, which is fetched from the object store if it does not lie here from another job."""
        path = self._pictures.get(sha256) or self._settings.folder / sha256
        if sha256 not in self._pictures:
            path.write_bytes((await pictures[sha256]).data)
            self._pictures[sha256] = path
        self._pictures.move_to_end(sha256)
        while len(self._pictures) > max(KEPT, len(pictures)):
            self._pictures.popitem(last=False)[1].unlink(missing_ok=True)
        return path

    def _pixels(self, outcome: object) -> Pixels | None:
        """The pixels that the worker has left in a file, which is deleted."""
        if not isinstance(outcome, worker_messages.Made) or not outcome.name:
            return None
        path = self._settings.blobs / "incoming" / outcome.name
        pixels: Pixels = np.fromfile(path, np.uint8)
        path.unlink()
        return pixels


def _sweep(folder: Path) -> None:
    """Delete what actors of before have left: Ray ends them without a word."""
    for left in folder.glob(f"{PREFIX}*"):
        process = left.name.removeprefix(PREFIX).partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(left, ignore_errors=True)
