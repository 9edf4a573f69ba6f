"""Small input widgets, each with its value in plain Python. Knows Qt; does not know what the values mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from acetate.plugins.bridge.form import LARGEST_SEED
from acetate.plugins.bridge.translations import _

from ..qt import Qt, QtCore, QtGui, QtWidgets, guarded

SPACING = 4
BREAK = "\u200b"
"""Where a line may end, unseen."""
_LONG_WORD = re.compile(r"\S{16,}")


class StillUnderTheWheel(QtCore.QObject):
    """Keeps scrolling the docker from changing the values that pass under the pointer."""

    def eventFilter(self, field: Any, event: Any) -> bool:  # noqa: N802
        if event.type() == QtCore.QEvent.Type.Wheel and not field.hasFocus():
            event.ignore()
            return True
        return False


class Percent(QtWidgets.QWidget):
    """A slider with its number, 1 to 100 %."""

    def __init__(self, name: str) -> None:
        super().__init__(objectName=f"{name}_row")
        self.slider = QtWidgets.QSlider(Qt.Orientation.Horizontal, objectName=f"{name}_slider")
        self.slider.setRange(1, 100)
        self.number = spin_box(name, 1, 100, suffix=" %")
        self.slider.valueChanged.connect(self.number.setValue)
        self.number.valueChanged.connect(self.slider.setValue)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.number)
        self.setFocusProxy(self.number)

    def value(self) -> int:
        return int(self.number.value())

    def setValue(self, value: int) -> None:  # noqa: N802
        self.number.setValue(value)


class SeedEdit(QtWidgets.QLineEdit):
    """A number of up to 32 bits, which Qt's spin box cannot hold."""

    def __init__(self) -> None:
        super().__init__(objectName="acetate_seed")
        self.textEdited.connect(guarded(self._keep_digits))

    def seed(self) -> int:
        return min(LARGEST_SEED, int(self.text() or 0))

    def set_seed(self, seed: int) -> None:
        """Show it; Ctrl+Z in the field brings back what stood there."""
        if self.text() != str(seed):
            self.selectAll()
            self.insert(str(seed))

    def _keep_digits(self, text: str) -> None:
        digits = "".join(letter for letter in text if letter in "0123456789")[:10]
        if digits != text:
            self.setText(digits)


class _Own:
    """A field that can leave its value to the model, and says in grey what the model takes then."""

    def changeEvent(self: Any, event: Any) -> None:  # noqa: N802
        widget: Any = super()
        widget.changeEvent(event)
        if event.type() == QtCore.QEvent.Type.ApplicationPaletteChange:
            self._show_grey()

    def _show_grey(self: Any) -> None:
        """Grey while nothing is chosen: what is seen is the program's word, not the artist's."""
        palette = QtGui.QPalette()  # of which only what is set here counts
        if self.chosen() in (None, ""):
            grey = QtWidgets.QApplication.palette().color(QtGui.QPalette.ColorGroup.Disabled, QtGui.QPalette.ColorRole.Text)
            for role in (QtGui.QPalette.ColorRole.Text, QtGui.QPalette.ColorRole.ButtonText):
                palette.setColor(QtGui.QPalette.ColorGroup.Active, role, grey)
                palette.setColor(QtGui.QPalette.ColorGroup.Inactive, role, grey)
        self.setPalette(palette)


class OwnWhole(_Own, QtWidgets.QSpinBox):
    """A whole number, or the model's own below the least."""

    def __init__(self, name: str, least: int, most: int) -> None:
        super().__init__(objectName=name, minimum=least - 1, maximum=most)
        self.valueChanged.connect(guarded(lambda _value: self._show_grey()))
        self.set_own("–")
        self._show_grey()

    def set_own(self, text: str) -> None:
        self.setSpecialValueText(text)

    def chosen(self) -> int | None:
        return None if self.value() == self.minimum() else int(self.value())

    def choose(self, value: int | None) -> None:
        self.setValue(self.minimum() if value is None else value)


class OwnNumber(_Own, QtWidgets.QDoubleSpinBox):
    """A number in steps of a half, or the model's own below the least."""

    def __init__(self, name: str, least: float, most: float) -> None:
        super().__init__(objectName=name, minimum=least - 0.5, maximum=float(most), singleStep=0.5)
        self.valueChanged.connect(guarded(lambda _value: self._show_grey()))
        self.set_own("–")
        self._show_grey()

    def set_own(self, text: str) -> None:
        self.setSpecialValueText(text)

    def chosen(self) -> float | None:
        """`None` below the least value, where someone may also have typed a number."""
        return None if self.value() < self.minimum() + 0.5 else float(self.value())

    def choose(self, value: float | None) -> None:
        self.setValue(self.minimum() if value is None else value)


class OwnChoice(_Own, QtWidgets.QComboBox):
    """One of a few values, or the model's own, which is the first entry and an empty text."""

    def __init__(self, name: str) -> None:
        super().__init__(objectName=name, minimumContentsLength=8)
        self.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.currentIndexChanged.connect(guarded(lambda _row: self._show_grey()))
        self.addItem("–", "")
        self.view().setPalette(QtWidgets.QApplication.palette())  # what can be chosen is not grey

    def set_own(self, text: str) -> None:
        self.setItemText(0, text)

    def offer(self, values: Iterable[str]) -> None:
        fill(self, {"": self.itemText(0), **{value: value for value in values}})
        self._show_grey()

    def chosen(self) -> str:
        return str(self.currentData() or "")

    def choose(self, value: str) -> None:
        choose(self, value)


class ElidedLabel(QtWidgets.QLabel):
    """A text that is cut in its middle where there is no room: it never widens what it lies in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._whole = text
        self.setMinimumWidth(24)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)

    def resizeEvent(self, event: Any) -> None:  # noqa: N802
        super().resizeEvent(event)
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, self.width()))


class Sentence(QtWidgets.QLabel):
    """Plain text of any length that wraps everywhere, also within a long path: it never widens what it lies in."""

    def __init__(self, name: str) -> None:
        super().__init__(objectName=name, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def setText(self, text: str) -> None:  # noqa: N802
        super().setText(_LONG_WORD.sub(lambda word: BREAK.join(word[0]), text))

    def text(self) -> str:
        return str(super().text()).replace(BREAK, "")

    def minimumSizeHint(self) -> Any:  # noqa: N802
        return QtCore.QSize(0, super().minimumSizeHint().height())


def combo_box(name: str, entries: Iterable[tuple[str, ...]]) -> Any:
    """A choice of values, each with its label and, as a third, its tooltip."""
    combo = QtWidgets.QComboBox(objectName=name, minimumContentsLength=8)
    combo.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    for row, (value, label, *meaning) in enumerate(entries):
        combo.addItem(label, value)
        if meaning:
            combo.setItemData(row, meaning[0], Qt.ItemDataRole.ToolTipRole)
    return combo


def fill(combo: Any, entries: dict[str, str]) -> None:
    """Offer these values with their labels; what is chosen stays, and nobody is told."""
    chosen = combo.currentData()
    combo.blockSignals(True)
    combo.clear()
    for value, label in entries.items():
        combo.addItem(label, value)
    choose(combo, chosen)
    combo.blockSignals(False)


def choose(combo: Any, value: str) -> None:
    """Choose by value; one that is not offered (a model of another server) is added, so that it is not lost."""
    row = combo.findData(value)
    if row < 0:
        combo.addItem(value, value)
        row = combo.count() - 1
    combo.setCurrentIndex(row)


def spin_box(name: str, low: int, high: int, *, suffix: str = "") -> Any:
    """A field for whole numbers."""
    return QtWidgets.QSpinBox(objectName=name, minimum=low, maximum=high, suffix=suffix)


def decimal_box(name: str, low: float, high: float, *, suffix: str = "", step: float = 0.5) -> Any:
    """A field for numbers."""
    limits = {"minimum": float(low), "maximum": float(high), "singleStep": step}
    return QtWidgets.QDoubleSpinBox(objectName=name, suffix=suffix, **limits)


def tool_button(name: str, text: str, tip: str = "", *, checkable: bool = False, raised: bool = False) -> Any:
    return QtWidgets.QToolButton(objectName=name, text=text, toolTip=tip, checkable=checkable, autoRaise=not raised)


def tell(field: Any, name: str, tip: str) -> None:
    """What a field is called by a screen reader, and what its tool tip says; both go to the widgets that it is made of, too."""
    inside = [] if isinstance(field, (QtWidgets.QAbstractSpinBox, QtWidgets.QComboBox)) else field.findChildren(QtWidgets.QWidget)
    for one in (field, *inside):
        if not one.accessibleName():
            one.setAccessibleName(name)
        if not one.toolTip():
            one.setToolTip(tip)


def lock_alpha_box() -> Any:
    return QtWidgets.QCheckBox(_("Keep the shape (lock alpha)"), objectName="acetate_lock_alpha")


def grid_layout() -> Any:
    grid = QtWidgets.QGridLayout()
    grid.setSpacing(SPACING)
    grid.setColumnStretch(1, 1)
    return grid


def side_by_side(*widgets: Any) -> Any:
    row = QtWidgets.QWidget()
    layout = QtWidgets.QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACING)
    still = (QtWidgets.QLabel, QtWidgets.QToolButton, QtWidgets.QCheckBox)
    for widget in widgets:
        layout.addWidget(widget, 0 if isinstance(widget, still) else 1)
    return row
