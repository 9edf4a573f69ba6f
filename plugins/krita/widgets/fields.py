"""Small input widgets, each with its value in plain Python. Knows Qt; does not know what the values mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from acetate.plugins.bridge.form import LARGEST_SEED

from ..qt import Qt, QtCore, QtWidgets, guarded

SPACING = 4


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
        super().__init__()
        self._slider = QtWidgets.QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(1, 100)
        self._number = spin_box(name, 1, 100, suffix=" %")
        self._slider.valueChanged.connect(self._number.setValue)
        self._number.valueChanged.connect(self._slider.setValue)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._number)

    def value(self) -> int:
        return int(self._number.value())

    def setValue(self, value: int) -> None:  # noqa: N802
        self._number.setValue(value)


class SeedEdit(QtWidgets.QLineEdit):
    """A number of up to 32 bits, which Qt's spin box cannot hold."""

    def __init__(self) -> None:
        tip = "The same seed gives the same picture; candidate i uses seed + i"
        super().__init__(objectName="acetate_seed", toolTip=tip)
        self.textEdited.connect(guarded(self._keep_digits))

    def seed(self) -> int:
        return min(LARGEST_SEED, int(self.text() or 0))

    def set_seed(self, seed: int) -> None:
        self.setText(str(seed))

    def _keep_digits(self, text: str) -> None:
        digits = "".join(letter for letter in text if letter in "0123456789")[:10]
        if digits != text:
            self.setText(digits)


def combo_box(name: str, entries: Iterable[tuple[str, ...]]) -> Any:
    """A choice of values, each with its label and, as a third, its tooltip."""
    combo = QtWidgets.QComboBox(objectName=name, minimumContentsLength=8)
    combo.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    for row, (value, label, *meaning) in enumerate(entries):
        combo.addItem(label, value)
        if meaning:
            combo.setItemData(row, meaning[0], Qt.ItemDataRole.ToolTipRole)
    return combo


def choose(combo: Any, value: str) -> None:
    """Choose by value; one that is not offered (a model of another server) is added, so that it is not lost."""
    row = combo.findData(value)
    if row < 0:
        combo.addItem(value, value)
        row = combo.count() - 1
    combo.setCurrentIndex(row)


def spin_box(name: str, low: int, high: int, *, suffix: str = "", special: str = "") -> Any:
    """A field for whole numbers; the lowest one is shown as `special`."""
    return QtWidgets.QSpinBox(objectName=name, minimum=low, maximum=high, suffix=suffix, specialValueText=special)


def decimal_box(name: str, low: float, high: float, *, suffix: str = "", special: str = "") -> Any:
    """A field for numbers in steps of a half; the lowest one is shown as `special`."""
    limits = {"minimum": float(low), "maximum": float(high), "singleStep": 0.5}
    return QtWidgets.QDoubleSpinBox(objectName=name, suffix=suffix, specialValueText=special, **limits)


def tool_button(name: str, text: str, tip: str = "", *, checkable: bool = False, raised: bool = False) -> Any:
    return QtWidgets.QToolButton(objectName=name, text=text, toolTip=tip, checkable=checkable, autoRaise=not raised)


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
    for widget in widgets:
        layout.addWidget(widget, 0 if isinstance(widget, (QtWidgets.QLabel, QtWidgets.QToolButton)) else 1)
    return row
