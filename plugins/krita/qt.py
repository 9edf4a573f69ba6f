"""The Qt that this Krita was built with: PyQt6 in Krita 6, PyQt5 before. Everything else imports Qt's names from here.

Scoped enums (`Qt.AlignmentFlag.AlignLeft`) and `exec()` are spelled alike in both. Knows no widget of ours.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import logging
from collections.abc import Callable
from typing import Any


def _major() -> int:
    """Krita 5.3 and later say it; earlier ones are built with Qt 5."""
    try:
        said = importlib.import_module("pykrita").qt_major_version
    except (ImportError, AttributeError):
        return 5
    return int(said())


MAJOR = _major()
QtCore: Any = importlib.import_module(f"PyQt{MAJOR}.QtCore")
QtGui: Any = importlib.import_module(f"PyQt{MAJOR}.QtGui")
QtWidgets: Any = importlib.import_module(f"PyQt{MAJOR}.QtWidgets")
Qt = QtCore.Qt
Signal = QtCore.pyqtSignal

log = logging.getLogger(__name__)


_listeners: list[Callable[[Exception], None]] = []
_telling: list[Exception] = []
"""The mistake that is being told: one that is made while telling it is only logged."""


def tell_mistakes(listener: Callable[[Exception], None]) -> None:
    """Have the listener called, on the main thread, with what any guarded slot raises."""
    _listeners[:] = [listener]


def guarded(slot: Callable[..., None]) -> Callable[..., None]:
    """A slot that logs and tells what it raises: left to itself, an exception would end Krita (PyQt aborts the program).

    Like PyQt itself it drops the arguments of a signal that the slot does not take.
    """
    wanted = [one.kind for one in inspect.signature(slot).parameters.values()]
    count = None if inspect.Parameter.VAR_POSITIONAL in wanted else len(wanted)

    @functools.wraps(slot)
    def call(*arguments: Any) -> None:
        try:
            slot(*arguments[:count])
        except Exception as error:
            log.exception("a mistake in %s", slot.__qualname__)
            _tell(error)

    return call


def _tell(error: Exception) -> None:
    if _telling:
        return
    _telling.append(error)
    try:
        for listener in _listeners:
            listener(error)
    except Exception:
        log.exception("a mistake could not be told")
    finally:
        _telling.clear()
