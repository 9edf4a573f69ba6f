"""The artist's hand on a picture: a real mouse by xdotool, and the tools. Runs inside Krita. Keys and widgets are in `hand`."""

import subprocess
import time

from acetate.plugins.krita.inserting.hand import is_canvas
from acetate.plugins.krita.qt import MAJOR, Qt, QtCore, QtGui, QtWidgets
from krita import Krita

WAIT = 200
"""Milliseconds until what the hand did has arrived."""


def main_window():
    return Krita.instance().activeWindow().qwindow()


def picture():
    """The widget in which the document in front is painted."""
    views = main_window().findChildren(QtWidgets.QMdiSubWindow)
    inside = [one for view in views for one in view.findChildren(QtWidgets.QWidget)]
    return next(one for one in inside if is_canvas(one) and one.isVisible())


def xdotool(*words):
    subprocess.run(["xdotool", *map(str, words)], check=True, timeout=20)


def point(across, down):
    """A place on the screen, by shares of the canvas widget."""
    widget = picture()
    found = widget.mapToGlobal(QtCore.QPoint(int(widget.width() * across), int(widget.height() * down)))
    return found.x(), found.y()


def go(across, down):
    xdotool("mousemove", *point(across, down))
    yield WAIT


def press(across, down):
    yield from go(across, down)
    xdotool("mousedown", 1)
    yield WAIT


def release():
    xdotool("mouseup", 1)
    yield WAIT


def click_at(across, down):
    yield from go(across, down)
    xdotool("click", 1)
    yield WAIT


def pen(what, across, down):
    """`Press`, `Move` or `Release` a pen's tip there, as Qt tells a window of it: this screen has no tablet."""
    if what == "Press":
        yield from go(across, down)
    window = main_window()
    screen = QtCore.QPointF(*point(across, down))
    place = QtCore.QPointF(window.mapFromGlobal(screen.toPoint()))
    kind = getattr(QtCore.QEvent.Type, f"Tablet{what}")
    none, left = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
    button, buttons = none if what == "Move" else left, none if what == "Release" else left
    pressure = 0.0 if what == "Release" else 0.8
    tip = 0, 0, 0.0, 0.0, 0, Qt.KeyboardModifier.NoModifier
    if MAJOR == 5:
        device, pointer = QtGui.QTabletEvent.TabletDevice.Stylus, QtGui.QTabletEvent.PointerType.Pen
        event = QtGui.QTabletEvent(kind, place, screen, device, pointer, pressure, *tip, 1, button, buttons)
    else:
        event = QtGui.QTabletEvent(kind, _device("Stylus", "Pen"), place, screen, pressure, *tip, button, buttons)
    if MAJOR == 5:  # PyQt6 has no way to
        event.setTimestamp(int(1000 * time.monotonic()))
    QtWidgets.QApplication.sendEvent(window.windowHandle(), event)
    yield WAIT


def finger(what):
    """`Begin` or `End` a touch, as Qt tells a window of it."""
    kind = getattr(QtCore.QEvent.Type, f"Touch{what}")
    event = QtGui.QTouchEvent(kind) if MAJOR == 5 else QtGui.QTouchEvent(kind, _device("TouchScreen", "Finger"))
    QtWidgets.QApplication.sendEvent(main_window().windowHandle(), event)


def _device(kind, pointer):
    """A pointing device of Qt 6."""
    name, able = QtGui.QInputDevice.DeviceType, QtGui.QInputDevice.Capability.Position
    return QtGui.QPointingDevice(pointer, 1, getattr(name, kind), getattr(QtGui.QPointingDevice.PointerType, pointer), able, 1, 1)


def chosen_tool():
    """The name of the tool that is chosen in the toolbox."""
    box = next(one for one in Krita.instance().dockers() if one.objectName() == "ToolBox")
    return next(str(button.objectName()) for button in box.findChildren(QtWidgets.QToolButton) if button.isChecked())


def tool(name):
    Krita.instance().action(name).trigger()
    yield 2 * WAIT


BRUSH = "KritaShape/KisToolBrush"
