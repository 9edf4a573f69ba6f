"""Real keys and a real mouse in the open window, from outside of Krita as an artist's hand is. Runs inside Krita.

`xdotool` speaks to the display from a process of its own, so Krita's event loop goes on; each gesture is a generator.
"""

import subprocess

from acetate.plugins.krita.qt import QtCore


def press(*keys):
    """Keys by their names in X, such as `Return`, `Delete`, `ctrl+z`, one after the other."""
    yield from _do("key", "--delay", "60", *keys)


def type_text(text):
    yield from _do("type", "--delay", "40", text)


def click(widget, at=None, *, repeat=1):
    """Click on a widget, at a place in it or in its middle."""
    x, y = on_screen(widget, at)
    yield from _do("mousemove", x, y, "sleep", "0.1", "click", "--repeat", str(repeat), "--delay", "60", "1")


def move(widget, at=None):
    """Move the pointer there, by way of a point beside it: Qt sees a pointer enter only when it moves."""
    x, y = on_screen(widget, at)
    yield from _do("mousemove", str(int(x) + 2), str(int(y) + 2), "sleep", "0.1", "mousemove", x, y)


def drag(widget, at, target, place):
    """Press at one place, go in steps, let go at another."""
    yield from take(widget, at, target, place)
    yield 200
    yield from let_go()


def take(widget, at, target, place):
    """Press at one place and go to another, where the button stays down; `let_go` ends it."""
    x, y = map(int, on_screen(widget, at))
    yield from _do("mousemove", x, y, "sleep", "0.1", "mousedown", "1", "sleep", "0.15", *_way(x, y, target, place))


def let_go():
    yield from _do("mouseup", "1")


def _way(x, y, target, place):
    to_x, to_y = map(int, on_screen(target, place))
    for step in range(1, 9):
        yield from ("mousemove", x + (to_x - x) * step // 8, y + (to_y - y) * step // 8, "sleep", "0.08")


def on_screen(widget, at=None):
    point = widget.mapToGlobal(at if at is not None else widget.rect().center())
    assert isinstance(point, QtCore.QPoint)
    return str(point.x()), str(point.y())


def _do(*words):
    done = subprocess.Popen(["xdotool", *map(str, words)])
    yield lambda: done.poll() is not None
    assert done.returncode == 0, words
    yield 150
