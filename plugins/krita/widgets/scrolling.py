"""The two parts of the docker that scroll where it is low: the form above the buttons, and what comes and goes below them.

The buttons between them never move: neither part asks for more room when something in it appears.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..qt import QtCore, QtWidgets
from .fields import SPACING

LOWEST_FORM, LOWEST_BELOW = 110, 150
"""The heights of both, in pixels, that always stay in sight."""


class _Scrolling(QtWidgets.QScrollArea):
    """A scroll area that is always wide enough for its content beside the bar: sideways nothing scrolls."""

    def __init__(self, content: Any, lowest: int) -> None:
        super().__init__(widgetResizable=True, minimumHeight=lowest)
        self._lowest = lowest
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(content)

    def minimumSizeHint(self) -> Any:  # noqa: N802
        bar = self.verticalScrollBar().sizeHint().width()
        return QtCore.QSize(self.widget().minimumSizeHint().width() + bar, self._lowest)


class AsHighAsItsContent(_Scrolling):
    """A scroll area that is as high as its content, or lower where there is not enough room."""

    def __init__(self, content: Any) -> None:
        super().__init__(content, LOWEST_FORM)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Preferred, QtWidgets.QSizePolicy.Policy.Maximum)

    def sizeHint(self) -> Any:  # noqa: N802
        return self.widget().sizeHint()

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802
        if watched is self.widget() and event.type() == QtCore.QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))


def below(coming_and_going: Iterable[Any], last: Any) -> Any:
    """A scroll area with widgets that are hidden now and then, and with one that takes the room that is left."""
    inside = QtWidgets.QWidget()
    column = QtWidgets.QVBoxLayout(inside)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(SPACING)
    for widget in coming_and_going:
        column.addWidget(widget)
    column.addWidget(last, 1)
    return _Scrolling(inside, LOWEST_BELOW)
