"""Pictures dragged onto the canvas, and files dropped on the docker. Knows Qt and Krita's views; inserts nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from acetate.plugins.bridge.candidates import Candidate, Key
from acetate.vocabulary.layered_files import INSERTED

from ..qt import Qt, QtCore, QtWidgets, guarded

MIME = "application/x-acetate-picture"


def mime_of(candidate: Candidate) -> Any:
    """What a drag carries: the picture's name, which only this program understands."""
    data = QtCore.QMimeData()
    data.setData(MIME, json.dumps(candidate.key).encode())
    return data


def key_in(mime: Any) -> Key | None:
    """The picture that a drag carries; `None` when it carries something else."""
    if not mime.hasFormat(MIME):
        return None
    job, number = json.loads(bytes(mime.data(MIME)).decode())
    return str(job), int(number)


def files_in(mime: Any) -> list[Path]:
    """The files of layers that a drag carries."""
    urls = mime.urls() if mime.hasUrls() else []
    paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() in INSERTED]


class CanvasTarget(QtCore.QObject):
    """Takes a dragged picture on the canvas of a window, for as long as the drag lasts.

    Krita's canvas would refuse it, or paste what it makes of it; so the drag's events are taken before it sees them.
    """

    def __init__(self, window: Any, dropped: Callable[[Key, Any], None]) -> None:
        """`dropped(key, position)` is told the picture and where on the screen it was let go."""
        super().__init__()
        self._area = window.findChild(QtWidgets.QMdiArea)
        self._dropped = guarded(dropped)

    def carry(self, drag: Any) -> None:
        """Carry the drag to its end."""
        app = QtWidgets.QApplication.instance()
        app.installEventFilter(self)
        try:
            drag.exec(Qt.DropAction.CopyAction)
        finally:
            app.removeEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802
        kinds = QtCore.QEvent.Type
        kind = event.type()
        if kind not in (kinds.DragEnter, kinds.DragMove, kinds.Drop) or not self._is_canvas(watched):
            return False
        key = key_in(event.mimeData())
        if key is None:
            return False
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if kind == kinds.Drop:
            place = event.position().toPoint() if hasattr(event, "position") else event.pos()
            self._dropped(key, watched.mapToGlobal(place))
        return True

    def _is_canvas(self, watched: Any) -> bool:
        return (
            self._area is not None
            and isinstance(watched, QtWidgets.QWidget)
            and (watched is self._area or self._area.isAncestorOf(watched))
        )


def place_on_canvas(view: Any, screen: Any) -> tuple[int, int] | None:
    """The canvas's pixel under a point of the screen; `None` where Krita does not say (before 5.2)."""
    try:
        transform = view.flakeToCanvasTransform()
        to_image = view.flakeToImageTransform()
    except AttributeError:
        return None
    widget = _canvas_widget(view)
    inverse, possible = transform.inverted()
    if widget is None or not possible:
        return None
    point = to_image.map(inverse.map(QtCore.QPointF(widget.mapFromGlobal(screen))))
    return round(point.x()), round(point.y())


def _canvas_widget(view: Any) -> Any:
    """The widget that shows the document: its class's name is the only thing that plug-ins can know it by."""
    window = view.window().qwindow()
    area = window.findChild(QtWidgets.QMdiArea)
    shown = area.activeSubWindow() if area is not None else None
    found = shown.findChildren(QtWidgets.QWidget) if shown is not None else []
    canvases = ("KisOpenGLCanvas2", "KisQPainterCanvas")
    return next((one for one in found if one.metaObject().className() in canvases and one.isVisible()), None)
