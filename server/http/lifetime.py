"""When the server ends: asked to, unused, or replaced by a newer version; what it does before. Knows signals; no socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata

from ..jobs.jobs import JobRegistry
from ..settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
"""How often is looked, while the server stops, whether clients have been sent everything."""
DELIVERY_SECONDS = 10.0
"""How long clients may take for what the last jobs have made; who is slower, or asleep, asks the next server for it."""
USE_SECONDS = 30.0
"""How often is looked whether anybody needs the server."""


class Lifetime:
    """Decides about the end. `unsent` says whether any client has not been sent yet what it is owed; `clients` counts them."""

    def __init__(self, settings: Settings, jobs: JobRegistry, clients: Callable[[], int], unsent: Callable[[], bool]) -> None:
        self._settings, self._jobs, self._clients, self._unsent = settings, jobs, clients, unsent
        self.since = time.time()
        self.version = metadata.version("acetate")
        self.restarts = False
        """Whether another server with the same command line takes this one's place."""
        self._stopping, self._hurried = asyncio.Event(), asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether the server takes leave: a job is not started any more."""
        return self._stopping.is_set()

    def stop(self, reason: str, *, now: bool = False, restart: bool = False) -> None:
        """Stop once the running jobs are over, or `now`. Asking again changes nothing but that."""
        if not self.stopping:
            log.info("stopping", extra={"reason": reason, "running": sorted(self._jobs.drain.running)})
            self._jobs.drain.begin()
        self.restarts = self.restarts or restart
        self._stopping.set()
        if now:
            self._hurried.set()

    async def until_stopped(self, tasks: Sequence[asyncio.Task[None]]) -> bool:
        """Wait until the server is to stop and its running jobs are over; true if a lane has ended, which it never should."""
        broken = await self._first([self._stopping.wait()], tasks)
        if broken:
            _say("Stopping because of an error in the server; the log has the details.")
            return True
        limit = self._settings.drain_seconds
        if count := len(self._jobs.drain.running):
            what = "the running job is over" if count == 1 else f"the {count} running jobs are over"
            _say(f"Stopping when {what}, in {limit:g} s at the latest. Once more, and it stops at once.")
        else:
            _say("Stopping.")
        notify("STOPPING=1")
        broken = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                broken = await self._first([self._hurried.wait(), self._drained()], tasks)
        for job in sorted(self._jobs.drain.running):
            log.warning("interrupted", extra={"job": job, "reason": "it runs again after the next start"})
        return broken

    async def _drained(self) -> None:
        await self._jobs.drain.at_rest.wait()
        until = time.monotonic() + DELIVERY_SECONDS
        while self._unsent() and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)

    async def _first(self, waits: Sequence[object], tasks: Sequence[asyncio.Task[None]]) -> bool:
        """Wait for one of them; whether it was one of the tasks."""
        waiting = [asyncio.ensure_future(wait) for wait in waits]  # type: ignore[call-overload]
        try:
            done, _ = await asyncio.wait([*waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waiting:
                wait.cancel()
        broken = [task.exception() for task in tasks if task in done]
        for error in broken:
            log.error("a lane has ended", exc_info=error)
        return bool(broken)

    # --- what ends it ------------------------------------------------------------------------------------------------

    def stop_on_signals(self) -> None:
        """Stop at the first SIGINT or SIGTERM, without waiting for jobs at the second, without anything at the third."""
        loop = asyncio.get_running_loop()

        def stop(name: str) -> None:
            if self._hurried.is_set():
                os._exit(130)
            self.stop(name, now=self.stopping)

        for number in (signal.SIGINT, signal.SIGTERM):
            if sys.platform == "win32":
                signal.signal(number, lambda number, frame: loop.call_soon_threadsafe(stop, signal.Signals(number).name))
            else:
                loop.add_signal_handler(number, stop, number.name)

    async def watch_use(self, installed: Callable[[], str | None] = lambda: installed_version()) -> None:
        """Of a server that an editor has started: stop it when nobody has needed it for a while, or when no job is there and
        the program on the disk is another version: the editor starts that one."""
        unused = self._settings.unused_seconds
        used, before = time.monotonic(), self.version
        while not self.stopping:
            await asyncio.sleep(min(USE_SECONDS, unused / 4))
            now, found = time.monotonic(), installed()
            if self._jobs.unfinished:
                used = now
            elif found not in (None, self.version) and found == before:  # seen twice: it is installed completely
                self.stop(f"version {found} was installed")
            elif self._clients():
                used = now
            elif now - used >= unused:
                self.stop("nobody has needed the server")
            before = found or before


def installed_version() -> str | None:
    """The version of the program on the disk, which may have been replaced since it was started; `None` in the midst of that."""
    try:
        return metadata.version("acetate")
    except metadata.PackageNotFoundError:
        return None


def notify(state: str) -> None:
    """Tell systemd, if it has started the server as `Type=notify`: `READY=1` or `STOPPING=1`."""
    if not (path := os.environ.get("NOTIFY_SOCKET")) or sys.platform == "win32":
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_systemd:
        to_systemd.connect("\0" + path[1:] if path.startswith("@") else path)
        to_systemd.send(state.encode())


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
