"""The artist's hand on a picture: a real mouse by xdotool, and the tools. Runs inside Krita. Keys and widgets are in `hand`."""

import subprocess

from acetate.plugins.krita.inserting.hand import is_canvas
from acetate.plugins.krita.qt import QtCore, QtWidgets
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


def tool(name):
    Krita.instance().action(name).trigger()
    yield 2 * WAIT


BRUSH = "KritaShape/KisToolBrush"
