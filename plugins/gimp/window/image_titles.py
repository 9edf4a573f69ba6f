"""Which image a person has before them, by the title of GIMP's window: no procedure of GIMP 3 tells it.

GIMP's titles name the image by its number ("sunset.xcf-12.0 …") unless a person has changed their form. Only X11 lets a program
read the titles of another; elsewhere, and for titles without the number, the answer is that nobody knows.
"""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Collection

import gi
from gi.repository import Gdk

TITLE_BYTES = 4096
_NUMBERED = re.compile(r"-(\d+)\.\d+\b")


def titled_image(images: Collection[int]) -> int | None:
    """Of the open images' ids the one that the topmost window of an image names; `None` when no title says."""
    reader = _reader()
    screen = Gdk.Screen.get_default()
    if reader is None or screen is None or not images:
        return None
    for window in reversed(screen.get_window_stack() or ()):
        number = named_image(reader.title(window))
        if number in images:
            return number
    return None


def named_image(title: str) -> int | None:
    """The number of the image in a title of one of GIMP's image windows."""
    found = _NUMBERED.findall(title) if title.endswith("GIMP") else []
    return int(found[-1]) if found else None


class _TitleReader:
    """GDK's own function for properties of foreign windows: Python's binding of it cannot return what it reads."""

    def __init__(self) -> None:
        self._gdk, self._glib = ctypes.CDLL("libgdk-3.so.0"), ctypes.CDLL("libglib-2.0.so.0")
        self._gdk.gdk_atom_intern.argtypes, self._gdk.gdk_atom_intern.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
        pointer, number = ctypes.c_void_p, ctypes.c_ulong
        out = ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_void_p)
        self._gdk.gdk_property_get.argtypes = (pointer, pointer, pointer, number, number, ctypes.c_int, pointer, pointer, *out)
        self._glib.g_free.argtypes = (pointer,)
        self._name, self._text = (self._gdk.gdk_atom_intern(word, 0) for word in (b"_NET_WM_NAME", b"UTF8_STRING"))

    def title(self, window: Gdk.Window) -> str:
        """The window's title, empty when it has none or is gone."""
        length, data = ctypes.c_int(), ctypes.c_void_p()
        Gdk.error_trap_push()  # the window may be closed between two calls
        arguments = (self._name, self._text, 0, TITLE_BYTES, 0, None, None, ctypes.byref(length), ctypes.byref(data))
        found = self._gdk.gdk_property_get(hash(window), *arguments)  # the hash of a GObject is its address
        Gdk.error_trap_pop_ignored()
        if not found or not data:
            return ""
        try:
            return ctypes.string_at(data, length.value).decode("utf-8", "replace")
        finally:
            self._glib.g_free(data)


@functools.cache
def _reader() -> _TitleReader | None:
    """`None` where windows are not X11's."""
    try:
        gi.require_version("GdkX11", "3.0")
        from gi.repository import GdkX11

        return _TitleReader() if isinstance(Gdk.Display.get_default(), GdkX11.X11Display) else None
    except (ImportError, ValueError, OSError, AttributeError):
        return None
