"""The candidates of the present run: thumbnails, what is said of the chosen one, and what can be done with it.

Knows widgets and candidates; does nothing itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from acetate.plugins.bridge.candidates import SAME_SIZE, Candidate, Key, size_words
from acetate.plugins.bridge.translations import _, counted, marked

from ..qt import Qt, QtCore, QtWidgets, Signal, guarded
from ..widgets.fields import SPACING
from .picture_list import PictureList
from .tile import MARGIN, SIDE

MOST_ROWS = 2
"""Rows of thumbnails before the strip scrolls."""

BUTTONS = {
    "previous": ("arrow-left", "◀", marked("Look at the previous candidate")),
    "next": ("arrow-right", "▶", marked("Look at the next candidate")),
    "insert": ("addlayer", "+", marked("Insert the chosen candidate as a new layer (Return)")),
    "replace": ("duplicatelayer", "⇄", marked("Put the chosen candidate in the place of the active layer (R)")),
    "all": ("bundle_archive", "++", marked("Insert all candidates that are not in the document yet, as a group")),
    "star": ("bookmarks", "★", marked("Star the chosen candidate, so that the history keeps it (S)")),
    "delete": ("deletelayer", "✕", marked("Throw the chosen candidate away (Delete); this can be undone for a while")),
}

MIRRORED = {"previous": "next", "next": "previous"}
"""Arrows that point the other way where people read from right to left."""


class CandidateBar(QtWidgets.QWidget):
    """Hidden while there is no candidate."""

    acted = Signal(str, object)
    """What to do (a key of `BUTTONS` or of the list's actions, or `sharpen`) and the chosen `Candidate`."""

    def __init__(self, icon: Any) -> None:
        """`icon(name)` returns an icon of Krita's theme."""
        super().__init__(objectName="acetate_candidates")
        self.list = PictureList("acetate_strip", "")
        self.list.setAccessibleName(_("Candidates"))
        self.list.setVerticalScrollBarPolicy(self.list.horizontalScrollBarPolicy())
        self.caption = QtWidgets.QLabel(objectName="acetate_candidate_caption", wordWrap=True)
        self.sharpen = QtWidgets.QToolButton(objectName="acetate_sharpen", text=_("Draw anew"))
        self.sharpen.clicked.connect(guarded(lambda: self._act("sharpen")))
        self.buttons = {name: self._button(name, icon) for name in BUTTONS}
        self._count = 0
        self.list.acted.connect(self.acted)
        self.list.looked.connect(guarded(lambda _: self._show_chosen()))
        self._lay_out()
        self.hide()

    def show_candidates(
        self, candidates: Sequence[Candidate], pictures: Mapping[Key, Any], inserted: Collection[Key], chosen: Key | None
    ) -> None:
        """Show these pictures, the chosen one marked."""
        self._count = len(candidates)
        self.list.show_rows(candidates, pictures, inserted)
        if chosen is not None:
            self.list.look_at(chosen)
        for name in ("previous", "next", "all"):
            self.buttons[name].setVisible(len(candidates) > 1)
        self.buttons["all"].setEnabled(any(one.key not in inserted for one in candidates))
        self._show_chosen()
        self._fit()
        self.setVisible(bool(candidates))

    def offer_sharpening(self, possible: bool) -> None:
        """Say whether the server can draw an enlarged picture anew."""
        self.sharpen.setEnabled(possible)
        self.sharpen.setToolTip(
            _("Draw the enlarged layer anew at its full size, with all the detail that the model can give")
            if possible
            else _("This needs an SD or SDXL model, or an upscaler; the built-in model draws at one size")
        )

    def resizeEvent(self, event: Any) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fit()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _show_chosen(self) -> None:
        chosen = self.list.candidate()
        if chosen is None:
            return
        words = [_("Seed {seed}").format(seed=chosen.seed)]
        if self._count > 1:
            place = self.list.place_of(chosen.key)
            words.insert(0, _("{number} of {count}").format(number=place, count=self._count))
        enlarged = chosen.drawn is not None and chosen.drawn.enlarged > 1 + SAME_SIZE
        if chosen.drawn is not None:
            words.append(size_words(chosen.drawn))
        self.caption.setText(" · ".join(words))
        self.sharpen.setVisible(enlarged)
        self.buttons["star"].setChecked(chosen.starred)

    def _button(self, name: str, icon: Any) -> Any:
        picture, sign, tip = BUTTONS[name]
        if name in MIRRORED and self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            picture, sign, _tip = BUTTONS[MIRRORED[name]]
        button = QtWidgets.QToolButton(objectName=f"acetate_candidate_{name}", autoRaise=True, checkable=name == "star")
        button.setToolTip(_(tip))
        button.setAccessibleName(_(tip))
        drawn = icon(picture)
        if drawn.isNull():
            button.setText(sign)
        else:
            button.setIcon(drawn)
        button.clicked.connect(guarded(lambda: self._act(name)))
        return button

    def _act(self, name: str) -> None:
        chosen = self.list.candidate()
        if chosen is not None:
            self.acted.emit(name, chosen)

    def _lay_out(self) -> None:
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING // 2)
        column.addWidget(self.list)
        said = QtWidgets.QHBoxLayout()
        said.addWidget(self.caption, 1)
        said.addWidget(self.sharpen)
        column.addLayout(said)
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(0)
        for name in BUTTONS:
            row.addWidget(self.buttons[name])
        row.addStretch(1)
        column.addLayout(row)

    def _fit(self) -> None:
        """As many rows as there are, up to `MOST_ROWS`; further ones scroll."""
        side = SIDE + 2 * MARGIN
        across = max(1, (self.width() - 2 * self.list.frameWidth()) // side)
        rows = -(-max(1, self._count) // across)
        self.list.setFixedHeight(min(rows, MOST_ROWS) * side + 2 * self.list.frameWidth())


class UndoBar(QtWidgets.QFrame):
    """What was thrown away, and the way back."""

    undone = Signal()

    def __init__(self) -> None:
        super().__init__(objectName="acetate_undo_bar")
        self._text = QtWidgets.QLabel(wordWrap=True)
        self.button = QtWidgets.QToolButton(objectName="acetate_undo_delete", text=_("Undo"))
        self.button.setToolTip(_("Take back what was thrown away (Ctrl+Z in the list)"))
        self.button.clicked.connect(self.undone)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(SPACING, 0, 0, 0)
        row.addWidget(self._text, 1)
        row.addWidget(self.button)
        self.hide()

    def show_thrown(self, count: int) -> None:
        self._text.setText(counted("{count} picture thrown away", "{count} pictures thrown away", count))
        self.setVisible(count > 0)

    def sizeHint(self) -> Any:  # noqa: N802
        return QtCore.QSize(100, super().sizeHint().height())
