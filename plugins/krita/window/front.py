"""Which window, view and document a docker belongs to. Krita's wrappers of windows and views die before these do, so they are
asked for each time and never kept."""

from __future__ import annotations

from typing import Any

from krita import Krita

from ..qt import QtWidgets


def main_window(widget: Any) -> Any:
    """The main window that the widget is a part of, also while it floats; `None` outside one."""
    while widget is not None and not isinstance(widget, QtWidgets.QMainWindow):
        widget = widget.parentWidget()
    return widget


def window_of(widget: Any) -> Any:
    """Krita's window around the widget; the one in front where there is none."""
    app, main = Krita.instance(), main_window(widget)
    for window in app.windows():
        if main is not None and window.qwindow() is main:
            return window
    return app.activeWindow()


def view_of(widget: Any) -> Any:
    """The view that is in front in the widget's window; `None` without one."""
    window = window_of(widget)
    return window.activeView() if window is not None else None


def document_of(widget: Any) -> Any:
    """The document that is in front in the widget's window, whichever window is; `None` without one."""
    view = view_of(widget)
    document = view.document() if view is not None else None
    return document if document is not None else _active_of_the_only_window()


def _active_of_the_only_window() -> Any:
    """Krita's active document, where it cannot be another window's."""
    app = Krita.instance()
    return app.activeDocument() if len(app.windows()) <= 1 else None


def is_in_sight(widget: Any) -> bool:
    """Whether the widget can be seen: not closed, not behind a tab, not hidden with all dockers."""
    return bool(widget.isVisible() and not widget.visibleRegion().isEmpty())
