"""Long work on Krita's main thread in short turns, so that painting goes on, and files on other threads.

Knows generators and functions; knows nothing of their work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from acetate.plugins.bridge.host import T, Then, Work

from .qt import QtCore, Signal, guarded

TURN_SECONDS = 0.012
"""How long work goes on before Krita gets the thread back; one uninterruptible piece may take longer, up to 50 ms."""


class CooperativeTurns:
    """Runs pieces of work one after the other, in short turns."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Work[Any], Then[Any]]] = []
        self._in_turn = self._stopped = False
        self._rest = 0.0
        """How long the work that is going on wants to wait, in seconds."""
        self._timer = QtCore.QTimer()
        self._timer.setInterval(0)
        self._timer.timeout.connect(guarded(self._turn))

    def run(self, work: Work[T], then: Then[T]) -> None:
        """Start `work` when those before it are done; call `then` with its result, or with what it raised."""
        self._waiting.append((work, then))
        self._timer.start()

    def rest(self, seconds: float) -> None:
        """Called by work before it yields: let it go on only after that time. Other work goes on meanwhile."""
        self._rest = seconds

    def stop(self) -> None:
        """Drop all work without calling anyone back."""
        self._stopped = True
        self._timer.stop()
        for work, _ in self._waiting:
            work.close()
        self._waiting.clear()

    def _turn(self) -> None:
        # Krita may process events inside a call (progress dialogs do); the work must not be entered twice.
        if self._in_turn or not self._waiting:
            return
        self._in_turn = True
        self._rest = 0.0
        work, then = self._waiting[0]
        ended: tuple[Any, BaseException | None] | None = None
        until = time.perf_counter() + TURN_SECONDS
        try:
            while time.perf_counter() < until and not self._rest:
                next(work)
        except StopIteration as stop:
            ended = stop.value, None
        except Exception as error:
            ended = None, error
        finally:
            self._in_turn = False
        if ended is None and not self._rest:
            return
        self._waiting.pop(0)
        if not self._waiting:
            self._timer.stop()
        if ended is not None:
            then(*ended)
        else:
            QtCore.QTimer.singleShot(round(1000 * self._rest), lambda: self._go_on(work, then))

    def _go_on(self, work: Work[Any], then: Then[Any]) -> None:
        if self._stopped:
            work.close()
        else:
            self.run(work, then)


class FileThread(QtCore.QObject):
    """Runs functions that touch only files, each on a thread of its own; the results arrive on the main thread."""

    _done = Signal(object, object, object)

    def __init__(self) -> None:
        super().__init__()
        self._done.connect(guarded(lambda then, result, error: then(result, error)))

    def run(self, function: Callable[[], T], then: Then[T]) -> None:
        """Call `then` with the function's result, or with whatever it raised: out of memory is told as well."""

        def call() -> None:
            try:
                self._done.emit(then, function(), None)
            except Exception as error:
                self._done.emit(then, None, error)

        threading.Thread(target=call, name="acetate-file", daemon=True).start()
