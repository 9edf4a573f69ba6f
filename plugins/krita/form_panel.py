"""The fields of the docker, and the form that they hold. Knows widgets and the form; knows no document and no server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from acetate.plugins.bridge.form import LARGEST_SEED, Form
from acetate.plugins.bridge.placement import LARGEST_SIDE
from acetate.plugins.bridge.tasks import TASKS

from .prompt_edit import PromptEdit
from .qt import Qt, QtCore, QtWidgets, Signal, guarded

AREAS = {"selection": "Selection, or canvas", "canvas": "Canvas", "custom": "Own size"}
SPACING = 4


class FormPanel(QtWidgets.QWidget):
    """One column: task, prompt, and the task's own fields; rarely used ones under *More*."""

    submitted = Signal()
    task_changed = Signal()

    def __init__(self, icon: Any) -> None:
        """`icon(name)` gives an icon of Krita's theme."""
        super().__init__()
        self.task = _combo("acetate_task", [(one.name, one.label) for one in TASKS])
        for row, one in enumerate(TASKS):
            self.task.setItemData(row, one.meaning, Qt.ItemDataRole.ToolTipRole)
        self.prompt = PromptEdit("acetate_prompt", "What to draw", 4)
        self.model = _combo("acetate_model", [("", "Default model")])
        self.area = _combo("acetate_area", list(AREAS.items()))
        self.width_, self.height_ = (_spin(f"acetate_{side}", 8, LARGEST_SIDE, " px") for side in ("width", "height"))
        self.count = _spin("acetate_count", 1, 64)
        self.strength = _Percent("acetate_strength")
        self.lock_alpha = QtWidgets.QCheckBox("Keep the shape (lock alpha)")
        self.scale = QtWidgets.QDoubleSpinBox()
        self.scale.setObjectName("acetate_scale")
        self.scale.setRange(1.0, 16.0)
        self.scale.setSingleStep(0.5)
        self.scale.setSuffix(" ×")
        self.upscaler = _combo("acetate_upscaler", [("", "Smooth interpolation")])
        self.seed = _SeedEdit()
        self.new_seed = QtWidgets.QToolButton()
        self.new_seed.setObjectName("acetate_new_seed")
        self.new_seed.setCheckable(True)
        self.new_seed.setText("Random")
        self.new_seed.setToolTip("Draw a new seed for every generation")
        self.negative = PromptEdit("acetate_negative", "What to avoid", 2)
        self.prompts = {
            role: PromptEdit(f"acetate_{role}_prompt", f"Only the {role}", 2) for role in ("foreground", "background")
        }
        self.steps = _spin("acetate_steps", 0, 1000)
        self.steps.setSpecialValueText("Default")
        self.guidance = QtWidgets.QDoubleSpinBox()
        self.guidance.setObjectName("acetate_guidance")
        self.guidance.setRange(-0.5, 100.0)
        self.guidance.setSingleStep(0.5)
        self.guidance.setSpecialValueText("Default")
        self.scheduler = _combo("acetate_scheduler", [("", "Default")])
        self.more = QtWidgets.QToolButton()
        self.more.setObjectName("acetate_more")
        self.more.setText("More")
        self.more.setCheckable(True)
        self.more.setAutoRaise(True)
        self.more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more.setArrowType(Qt.ArrowType.RightArrow)
        self._details = QtWidgets.QWidget()
        self._rows: dict[str, list[Any]] = {}
        self._allowed: Mapping[str, Sequence[str] | None] = {}
        self._lay_out()
        self._connect()
        self._still = _StillUnderTheWheel()
        for field in self.findChildren(QtWidgets.QWidget):
            if isinstance(field, (QtWidgets.QComboBox, QtWidgets.QAbstractSpinBox, QtWidgets.QSlider)):
                field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                field.installEventFilter(self._still)
        self.set_form(Form())

    # --- the form ----------------------------------------------------------------------------------------------------

    def form(self) -> Form:
        return Form(
            task=self.task.currentData(),
            prompt=self.prompt.text(),
            negative_prompt=self.negative.text(),
            prompts={role: field.text() for role, field in self.prompts.items() if field.text().strip()},
            model=self.model.currentData(),
            area=self.area.currentData(),
            width=self.width_.value(),
            height=self.height_.value(),
            count=self.count.value(),
            strength=self.strength.value() / 100,
            lock_alpha=self.lock_alpha.isChecked(),
            seed=self.seed.seed(),
            new_seed=self.new_seed.isChecked(),
            steps=self.steps.value() or None,
            guidance_scale=None if self.guidance.value() < 0 else self.guidance.value(),
            scheduler=self.scheduler.currentData(),
            scale=self.scale.value(),
            upscaler=self.upscaler.currentData(),
        )

    def set_form(self, form: Form) -> None:
        _choose(self.task, form.task)
        self.prompt.set_text(form.prompt)
        self.negative.set_text(form.negative_prompt)
        for role, field in self.prompts.items():
            field.set_text(form.prompts.get(role, ""))
        for combo, value in ((self.model, form.model), (self.area, form.area), (self.scheduler, form.scheduler)):
            _choose(combo, value)
        _choose(self.upscaler, form.upscaler)
        self.width_.setValue(form.width or 512)
        self.height_.setValue(form.height or 512)
        self.count.setValue(form.count)
        self.strength.setValue(round(100 * form.strength))
        self.lock_alpha.setChecked(form.lock_alpha)
        self.seed.set_seed(form.seed)
        self.new_seed.setChecked(form.new_seed)
        self.steps.setValue(form.steps or 0)
        self.guidance.setValue(-0.5 if form.guidance_scale is None else form.guidance_scale)
        self.scale.setValue(form.scale)
        self._show_fields()

    def offer(self, models: Mapping[str, str], schedulers: Mapping[str, str], upscalers: Mapping[str, str]) -> None:
        """What the server has, by name and label; what is chosen stays chosen."""
        for combo, names in ((self.model, models), (self.scheduler, schedulers), (self.upscaler, upscalers)):
            chosen, default = combo.currentData(), combo.itemText(0)
            combo.blockSignals(True)
            combo.clear()
            for name, label in {"": default, **names}.items():
                combo.addItem(label, name)
            _choose(combo, chosen)
            combo.blockSignals(False)

    def allow(self, tasks: Mapping[str, Sequence[str] | None]) -> None:
        """Tasks by model; those that the chosen one cannot do are gray. The default model is the first, `None` means all."""
        self._allowed = tasks
        self._show_allowed()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _show_allowed(self) -> None:
        known = self._allowed.get(self.model.currentData() or next(iter(self._allowed), ""))
        for row in range(self.task.count()):
            allowed = known is None or self.task.itemData(row) in known
            self.task.model().item(row).setEnabled(allowed)

    def _connect(self) -> None:
        self.model.currentIndexChanged.connect(guarded(self._show_allowed))
        for field in (self.prompt, self.negative, *self.prompts.values()):
            field.submitted.connect(self.submitted)
        self.task.currentIndexChanged.connect(guarded(self._show_fields))
        self.area.currentIndexChanged.connect(guarded(self._show_fields))
        self.new_seed.toggled.connect(guarded(lambda checked: self.seed.setEnabled(not checked)))
        self.more.toggled.connect(guarded(self._show_fields))

    def _lay_out(self) -> None:
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        column.addWidget(self.task)
        column.addWidget(self.prompt)
        grid = _grid()
        self._add(grid, "model", "Model", self.model)
        self._add(grid, "area", "Place", self.area)
        self._add(grid, "size", "Size", _beside(self.width_, QtWidgets.QLabel("×"), self.height_))
        self._add(grid, "count", "Candidates", self.count)
        self._add(grid, "strength", "Strength", self.strength)
        self._add(grid, "lock_alpha", "", self.lock_alpha)
        self._add(grid, "scale", "Factor", self.scale)
        self._add(grid, "upscaler", "Method", self.upscaler)
        self._add(grid, "seed", "Seed", _beside(self.seed, self.new_seed))
        column.addLayout(grid)
        column.addWidget(self.more)
        details = _grid()
        self._details.setLayout(details)
        details.setContentsMargins(0, 0, 0, 0)
        self._add(details, "negative", "Avoid", self.negative)
        self._add(details, "foreground", "Foreground", self.prompts["foreground"])
        self._add(details, "background", "Background", self.prompts["background"])
        self._add(details, "steps", "Steps", self.steps)
        self._add(details, "guidance", "Guidance", self.guidance)
        self._add(details, "scheduler", "Sampler", self.scheduler)
        column.addWidget(self._details)

    def _add(self, grid: Any, name: str, label: str, field: Any) -> None:
        row, text = grid.rowCount(), QtWidgets.QLabel(label)
        text.setBuddy(field)
        grid.addWidget(text, row, 0)
        grid.addWidget(field, row, 1)
        self._rows[name] = [text, field]

    def _show_fields(self) -> None:
        """Only what the task takes."""
        fields = Form(task=self.task.currentData()).about.fields
        shown = {name: name in fields for name in ("area", "count", "strength", "lock_alpha", "scale", "upscaler")}
        shown["size"] = "area" in fields and self.area.currentData() == "custom"
        shown["foreground"] = shown["background"] = "prompts" in fields
        for name, visible in shown.items():
            for widget in self._rows[name]:
                widget.setVisible(visible)
        self._details.setVisible(self.more.isChecked())
        self.more.setArrowType(Qt.ArrowType.DownArrow if self.more.isChecked() else Qt.ArrowType.RightArrow)
        self.seed.setEnabled(not self.new_seed.isChecked())
        self.task_changed.emit()


class _StillUnderTheWheel(QtCore.QObject):
    """Scrolling the docker must not change the values that pass under the pointer."""

    def eventFilter(self, field: Any, event: Any) -> bool:  # noqa: N802
        if event.type() == QtCore.QEvent.Type.Wheel and not field.hasFocus():
            event.ignore()
            return True
        return False


class _Percent(QtWidgets.QWidget):
    """A slider with its number, 1 to 100 %."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._slider = QtWidgets.QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(1, 100)
        self._number = _spin(name, 1, 100, " %")
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


class _SeedEdit(QtWidgets.QLineEdit):
    """A number of up to 32 bits, which Qt's spin box cannot hold."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("acetate_seed")
        self.setToolTip("The same seed gives the same picture; candidate i uses seed + i")
        self.textEdited.connect(guarded(self._keep_digits))

    def seed(self) -> int:
        return min(LARGEST_SEED, int(self.text() or 0))

    def set_seed(self, seed: int) -> None:
        self.setText(str(seed))

    def _keep_digits(self, text: str) -> None:
        digits = "".join(letter for letter in text if letter in "0123456789")[:10]
        if digits != text:
            self.setText(digits)


def _combo(name: str, entries: list[tuple[str, str]]) -> Any:
    combo = QtWidgets.QComboBox()
    combo.setObjectName(name)
    combo.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    for value, label in entries:
        combo.addItem(label, value)
    return combo


def _choose(combo: Any, value: str) -> None:
    """Choose by value; one that is not offered (a model of another server) is added, so that it is not lost."""
    row = combo.findData(value)
    if row < 0:
        combo.addItem(value, value)
        row = combo.count() - 1
    combo.setCurrentIndex(row)


def _spin(name: str, low: int, high: int, suffix: str = "") -> Any:
    spin = QtWidgets.QSpinBox()
    spin.setObjectName(name)
    spin.setRange(low, high)
    spin.setSuffix(suffix)
    return spin


def _grid() -> Any:
    grid = QtWidgets.QGridLayout()
    grid.setSpacing(SPACING)
    grid.setColumnStretch(1, 1)
    return grid


def _beside(*widgets: Any) -> Any:
    row = QtWidgets.QWidget()
    layout = QtWidgets.QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACING)
    for widget in widgets:
        layout.addWidget(widget, 0 if isinstance(widget, (QtWidgets.QLabel, QtWidgets.QToolButton)) else 1)
    return row
