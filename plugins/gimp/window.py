"""What both windows have: a timer that hands them the client's events while any main loop runs, and the state of the connection.

Knows jobs; does not know what a window shows of them. Imported only when there is a screen.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from acetate.plugins.bridge.job import EditorJobs
from acetate.plugins.bridge.job_status import JobStatus
from acetate.protocol import Client, Event
from gi.repository import GLib

from .host import GimpHost
from .procedure_call import ProcedureCall

MILLISECONDS = 40


class JobWindow:
    """A window defines what it does of its own in `_take`, `_look` and `_wake`."""

    def __init__(self, call: ProcedureCall, client: Client) -> None:
        self._call, self._client = call, client
        self._jobs = EditorJobs(GimpHost(show=True), lambda: client)
        self._connection = JobStatus()
        self._error: BaseException | None = None
        """What has ended the ticking: nothing will come any more."""

    @contextlib.contextmanager
    def _ticking(self) -> Iterator[None]:
        """Inside the block the jobs go on, 25 times a second, in whatever main loop runs.

        PyGObject would print an exception from there and end the timer, and the window would wait for ever. Here the exception
        ends the ticking, `_wake` has to end the loop that is running, and leaving the block raises it.
        """
        source = GLib.timeout_add(MILLISECONDS, self._tick)
        try:
            yield
        finally:
            if self._error is None:
                GLib.source_remove(source)
        if self._error is not None:
            raise self._error

    def _tick(self) -> bool:
        try:
            for event in self._client.poll():
                if self._connection.over:  # failed before; what comes now may be better
                    self._connection = JobStatus()
                self._connection.take(event, time.monotonic())
                self._jobs.take(event)
                self._take(event)
            self._jobs.tick()
            self._look()
        except BaseException as error:
            self._error = error
            self._wake()
        return self._error is None

    def _take(self, event: Event) -> None:
        """An event of the client, which the jobs have had."""
        raise NotImplementedError

    def _look(self) -> None:
        """Show how far the jobs are, and act on those that are over."""
        raise NotImplementedError

    def _wake(self) -> None:
        """End the main loop that runs."""
        raise NotImplementedError
