"""The lanes of a server: one per device, one for documents; they may come and go. Knows runners; knows no client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..settings import Settings
from ..worker.local_worker import LocalWorker, documents_command, engine_command
from ..worker.runner import OnNews, Runner
from ..worker.worker_messages import News, Room
from .devices import Device
from .dispatcher import Dispatcher
from .engine_state import EngineState
from .jobs import JobRegistry


@dataclass(eq=False)
class Lane:
    """A runner and the task that feeds it; `device` is `None` for the documents."""

    runner: Runner
    dispatcher: Dispatcher
    device: Device | None = None
    task: asyncio.Task[None] | None = None


class Lanes:
    """All lanes; those that are added while it works start at once."""

    def __init__(self, jobs: JobRegistry, engine: EngineState) -> None:
        self._jobs, self._engine = jobs, engine
        self.lanes: list[Lane] = []
        self._ended: asyncio.Future[None] | None = None
        """Set while it works; gets the error of a lane that has ended."""

    def add_local(self, settings: Settings) -> None:
        """A lane for each device that the settings name, and one for documents. With a cluster, none that is not named."""
        devices = () if settings.ray is not None and settings.devices == (None,) else settings.devices
        for number, device in enumerate(devices):
            command = engine_command(settings, device)
            self.add(device or "auto", partial(LocalWorker, settings, f"engine-{number}", command))
        runner = LocalWorker(settings, "documents", documents_command(settings), lambda news: None)
        self._start(Lane(runner, Dispatcher("documents", self._jobs, runner)))

    def add(self, name: str, make: Callable[[OnNews], Runner], on_room: Callable[[int], None] = lambda workers: None) -> Lane:
        """A lane for one more device, whose runner `make` makes; `on_room` is told how many there is room for."""
        device = self._engine.add(name)

        def on_news(news: News) -> None:
            if isinstance(news, Room):
                on_room(news.workers)
            else:
                self._engine.heard(device, news)

        runner = make(on_news)
        lane = Lane(runner, Dispatcher("engine", self._jobs, runner, self._engine, device), device)
        self._start(lane)
        return lane

    async def remove(self, lane: Lane) -> None:
        """End a lane, in whose device there is no job."""
        self.lanes.remove(lane)
        if lane.task is not None:
            lane.task.cancel()
            await asyncio.gather(lane.task, return_exceptions=True)
        await lane.runner.close()
        if lane.device is not None:
            self._engine.remove(lane.device)

    async def work(self) -> None:
        """Work until this task is cancelled. Raises what ended a lane, which nothing should."""
        self._ended = asyncio.get_running_loop().create_future()
        for lane in self.lanes:
            self._start(lane)
        await self._ended

    async def refresh(self) -> None:
        """Have every device's engine describe itself again: models were added or removed."""
        await asyncio.gather(*(lane.runner.refresh() for lane in self.lanes if lane.device is not None))

    async def close(self) -> None:
        """End all lanes and their runners at once."""
        tasks = [lane.task for lane in self.lanes if lane.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(lane.runner.close() for lane in self.lanes))

    def _start(self, lane: Lane) -> None:
        if lane not in self.lanes:
            self.lanes.append(lane)
        if self._ended is not None:
            lane.task = asyncio.create_task(lane.dispatcher.work())
            lane.task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        if self._ended is not None and not self._ended.done() and not task.cancelled():
            error = task.exception() or AssertionError("a lane works for ever")
            self._ended.set_exception(error)
