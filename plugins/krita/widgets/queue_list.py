"""What runs and waits, as rows with buttons: stop it, put it in front. Knows rows and widgets; asks the docker to act."""

from __future__ import annotations

from typing import Any

from acetate.plugins.bridge.status.job_queue import QueuedJob
from acetate.plugins.bridge.translations import _

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, guarded
from .fields import SPACING, tool_button

MOST_ROWS = 4
"""How many are in sight; the others come by scrolling."""


class QueueList(QtWidgets.QFrame):
    """A line that says how much there is, with *Cancel all*, above a row for each job; hidden where one job of our own is all."""

    chosen = Signal(str, str)
    """What to do (`cancel` or `advance`) and the job."""
    all_cancelled = Signal()

    def __init__(self) -> None:
        super().__init__(objectName="acetate_queue")
        self.summary = QtWidgets.QLabel(objectName="acetate_queue_summary")
        every = tool_button(
            "acetate_cancel_all", _("Cancel all"), _("Stop everything that Krita has asked for; other programs' go on")
        )
        every.clicked.connect(guarded(lambda: self.all_cancelled.emit()))
        self._every = every
        self.list = _Rows()
        self.list.wanted.connect(self.chosen)
        head = QtWidgets.QHBoxLayout()
        head.addWidget(self.summary, 1)
        head.addWidget(every)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.list)
        self.hide()

    def show_rows(self, rows: tuple[QueuedJob, ...], summary: str) -> None:
        """Bring the list to this state; what is chosen in it stays chosen."""
        self.summary.setText(summary)
        self._every.setEnabled(any(row.origin != "other" for row in rows))
        self.list.show_rows(rows)
        self.setVisible(len(rows) > 1 or any(row.origin != "own" for row in rows))


class _Rows(QtWidgets.QListWidget):
    """The rows; Delete stops the chosen one, Ctrl+Up puts it in front."""

    wanted = Signal(str, str)

    def __init__(self) -> None:
        super().__init__(objectName="acetate_queue_list")
        self.setAccessibleName(_("Jobs that run and wait"))
        self.setToolTip(_("What runs and waits. Delete stops the chosen one, Ctrl+Up puts it in front."))
        self.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)

    def show_rows(self, rows: tuple[QueuedJob, ...]) -> None:
        while self.count() > len(rows):
            self.takeItem(self.count() - 1)
        while self.count() < len(rows):
            item, row = QtWidgets.QListWidgetItem(self), _Row()
            row.pressed.connect(self.wanted)
            item.setSizeHint(QtCore.QSize(10, row.sizeHint().height()))
            self.setItemWidget(item, row)
        for number, job in enumerate(rows):
            self.row_widget(number).show_job(job)
            self.item(number).setData(Qt.ItemDataRole.AccessibleTextRole, f"{job.title}, {job.whose} {job.text}")
        if rows:
            self.setFixedHeight(2 * self.frameWidth() + min(len(rows), MOST_ROWS) * self.sizeHintForRow(0))

    def row_widget(self, number: int) -> Any:
        return self.itemWidget(self.item(number))

    def event(self, event: Any) -> bool:
        """Krita has shortcuts for these keys, which would act on the picture."""
        if event.type() == QtCore.QEvent.Type.ShortcutOverride and _act(event):
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802
        act, number = _act(event), self.currentRow()
        if act and number >= 0:
            self.row_widget(number).press(act)
        else:
            super().keyPressEvent(event)


def _act(event: Any) -> str:
    if event.key() == Qt.Key.Key_Delete:
        return "cancel"
    return "advance" if event.key() == Qt.Key.Key_Up and event.modifiers() & Qt.KeyboardModifier.ControlModifier else ""


class _Row(QtWidgets.QWidget):
    """What a job is to make, below it in small letters whose it is and how far, and its two buttons."""

    pressed = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._job = ""
        self._title, self._text = _Elided(), _Elided(small=True)
        self.front = tool_button("acetate_queue_advance", "▲", _("Put it in front of the others that wait"))
        self.front.setAccessibleName(_("Put it in front"))
        self.stop = tool_button("acetate_queue_cancel", "✕", _("Stop it"))
        self.stop.setAccessibleName(_("Stop it"))
        self.front.clicked.connect(guarded(lambda: self.press("advance")))
        self.stop.clicked.connect(guarded(lambda: self.press("cancel")))
        for button in (self.front, self.stop):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        words = QtWidgets.QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._title)
        words.addWidget(self._text)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(SPACING, 1, 1, 1)
        layout.setSpacing(1)
        layout.addLayout(words, 1)
        layout.addWidget(self.front)
        layout.addWidget(self.stop)

    def show_job(self, job: QueuedJob) -> None:
        self._job = job.job
        self._title.set_text(job.title)
        state = job.text or (_("Running") if job.running else _("Waiting"))
        done = f"{round(100 * job.fraction)} %" if job.fraction is not None and job.origin != "own" and not job.stopping else ""
        self._text.set_text(" · ".join(part for part in (job.whose, state, done) if part))
        self.front.setVisible(not job.running)
        self.front.setEnabled(not job.first)
        self.stop.setEnabled(not job.stopping)

    def press(self, what: str) -> None:
        """Do what a button or key asks for, where its button could be pressed."""
        button = self.stop if what == "cancel" else self.front
        if button.isEnabled() and not button.isHidden():
            self.pressed.emit(what, self._job)


class _Elided(QtWidgets.QLabel):
    """A line of text that never asks for more room than there is; the tool tip has all of it."""

    def __init__(self, *, small: bool = False) -> None:
        super().__init__()
        self._whole = ""
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
        if small:
            font = QtGui.QFont(self.font())
            font.setPointSizeF(0.9 * font.pointSizeF())
            self.setFont(font)
            self.setEnabled(False)

    def set_text(self, text: str) -> None:
        self._whole = text
        self.setToolTip(text)
        self._elide()

    def resizeEvent(self, event: Any) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, max(0, self.width())))
