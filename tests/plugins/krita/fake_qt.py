"""As much of Qt as Krita's session uses: signals, timers that fire when they are told to, and a notifier."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any


class Signal:
    """A signal of a class; each of its objects gets one of its own."""

    def __init__(self, *_: type) -> None:
        self.slots: list[Callable[..., Any]] = []

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_signal_{name}"

    def __get__(self, owner: Any, kind: type | None = None) -> Signal:
        return self if owner is None else owner.__dict__.setdefault(self._name, Signal())

    def connect(self, slot: Callable[..., Any]) -> None:
        self.slots.append(slot)

    def emit(self, *said: Any) -> None:
        for slot in list(self.slots):
            slot(*said)


class QObject:
    pass


class QTimer(QObject):
    timeout = Signal()
    running: list[QTimer] = []
    shots: list[Callable[[], None]] = []
    """What `singleShot` was given."""

    def setSingleShot(self, single: bool) -> None:  # noqa: N802
        self.single = single

    def setInterval(self, milliseconds: int) -> None:  # noqa: N802
        """The fake fires when it is told to."""

    def start(self, milliseconds: int = 0) -> None:
        if self not in self.running:
            self.running.append(self)

    def stop(self) -> None:
        if self in self.running:
            self.running.remove(self)

    @classmethod
    def singleShot(cls, milliseconds: int, slot: Callable[[], None]) -> None:  # noqa: N802
        cls.shots.append(slot)


class Names:
    """Whatever it is asked for: enumerations of Qt."""

    def __getattr__(self, name: str) -> Any:
        return name


class QEvent:
    Type = Names()


class Qt:
    Key = MouseButton = TransformationMode = AspectRatioMode = Names()


class QApplication:
    """Nobody is at the computer."""

    @staticmethod
    def mouseButtons() -> str:  # noqa: N802
        return "NoButton"

    @staticmethod
    def nobody() -> None:
        return None

    activeModalWidget = activePopupWidget = activeWindow = focusWidget = nobody  # noqa: N815


class QSocketNotifier(QObject):
    activated = Signal()
    Type = types.SimpleNamespace(Read="read")

    def __init__(self, number: int, kind: str) -> None:
        self.enabled = True

    def setEnabled(self, enabled: bool) -> None:  # noqa: N802
        self.enabled = enabled


def fire() -> None:
    """Let every timer fire until none runs any more, and every single shot once."""
    while QTimer.running:
        QTimer.running[0].timeout.emit()
    while QTimer.shots:
        QTimer.shots.pop(0)()


def installed() -> None:
    """Put the fake where the plug-in looks for PyQt5."""
    core = types.ModuleType("PyQt5.QtCore")
    core.QObject, core.QTimer, core.QSocketNotifier, core.pyqtSignal, core.Qt = QObject, QTimer, QSocketNotifier, Signal, Qt
    core.QEvent = QEvent
    widgets = types.ModuleType("QtWidgets")
    for name in ("QDockWidget", "QToolButton", "QMdiSubWindow", "QWidget", "QAbstractItemView", "QLineEdit", "QFileDialog"):
        setattr(widgets, name, type(name, (), {}))
    widgets.QApplication = QApplication
    for name, module in {"QtCore": core, "QtGui": types.ModuleType("QtGui"), "QtWidgets": widgets}.items():
        sys.modules[f"PyQt5.{name}"] = module
    sys.modules["PyQt5"] = types.ModuleType("PyQt5")
