"""A timer that lets a window look after its job while a main loop runs. Knows no job and no window."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from gi.repository import GLib

MILLISECONDS = 40


class Ticking:
    """Inside the `with` block `advance` is called 25 times a second by whatever main loop runs.

    PyGObject would print an exception from there and end the timer, and the window would wait for ever. Here the exception
    ends the ticking, `wake` has to end the loop that is running, and leaving the block raises it.
    """

    def __init__(self, advance: Callable[[], None], wake: Callable[[], None]) -> None:
        self._advance, self._wake = advance, wake
        self._error: BaseException | None = None
        self._source = 0

    @property
    def ended(self) -> bool:
        """An exception has ended the ticking: nothing that is waited for will come."""
        return self._error is not None

    def __enter__(self) -> Ticking:
        self._source = GLib.timeout_add(MILLISECONDS, self._tick)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._error is not None:
            raise self._error
        GLib.source_remove(self._source)

    def _tick(self) -> bool:
        try:
            self._advance()
        except BaseException as error:
            self._error = error
            self._wake()
        return self._error is None
