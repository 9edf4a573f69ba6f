"""The fields of the docker, and the form that they hold. Knows widgets and the form; knows no document and no server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.tasks import BY_NAME, METHODS
from acetate.vocabulary.parameters import range_of

from ..qt import Qt, QtWidgets, Signal, guarded
from .fields import (
    SPACING,
    Percent,
    SeedEdit,
    StillUnderTheWheel,
    choose,
    combo_box,
    decimal_box,
    grid_layout,
    side_by_side,
    spin_box,
    tool_button,
)
from .prompt_edit import PromptEdit

AREAS = {"selection": "Selection, or canvas", "canvas": "Canvas", "custom": "Custom size"}


class FormPanel(QtWidgets.QWidget):
    """One column: task, prompt, and the task's own fields; rarely used ones under *More*."""

    submitted = Signal()
    task_changed = Signal()

    def __init__(self, icon: Any) -> None:
        """`icon(name)` returns an icon of Krita's theme."""
        super().__init__()
        self.task = combo_box("acetate_task", [(name, one.label, one.meaning) for name, one in BY_NAME.items()])
        self.prompt = PromptEdit("acetate_prompt", "What to draw", 4)
        self.model = combo_box("acetate_model", [("", "Default model")])
        self.area = combo_box("acetate_area", list(AREAS.items()))
        self.width_, self.height_ = (
            spin_box(f"acetate_{side}", 8, range_of(side)[1], suffix=" px") for side in ("width", "height")
        )
        self.count = spin_box("acetate_count", *range_of("count"))
        self.strength = Percent("acetate_strength")
        self.lock_alpha = QtWidgets.QCheckBox("Keep the shape (lock alpha)")
        self.scale = decimal_box("acetate_scale", *range_of("scale"), suffix=" ×")
        self.upscaler = combo_box("acetate_upscaler", [("", "Smooth interpolation")])
        self.method = combo_box("acetate_method", [(method, *words) for method, words in METHODS.items()])
        self.seed = SeedEdit()
        new = "Choose a new seed for every generation"
        self.new_seed = tool_button("acetate_new_seed", "Random", new, checkable=True, raised=True)
        self.negative = PromptEdit("acetate_negative", "What to avoid", 2)
        self.prompts = {
            role: PromptEdit(f"acetate_{role}_prompt", f"Only the {role}", 2) for role in ("foreground", "background")
        }
        self.steps = spin_box("acetate_steps", 0, range_of("steps")[1], special="Default")
        self.guidance = decimal_box("acetate_guidance", -0.5, range_of("guidance_scale")[1], special="Default")
        self.scheduler = combo_box("acetate_scheduler", [("", "Default")])
        self.spacing = combo_box("acetate_spacing", [("", "Default")])
        self.clip_skip = spin_box("acetate_clip_skip", 0, range_of("clip_skip")[1], special="Default")
        self.fast = QtWidgets.QCheckBox("Few steps", objectName="acetate_fast")
        self.fast.setToolTip("Draw in few steps with an installed distilled LoRA; what is set here counts more")
        self.more = tool_button("acetate_more", "More", checkable=True)
        self.more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more.setArrowType(Qt.ArrowType.RightArrow)
        self._details = QtWidgets.QWidget()
        self._rows: dict[str, list[Any]] = {}
        self._allowed: Mapping[str, Sequence[str] | None] = {}
        self._lay_out()
        self._connect()
        self._still = StillUnderTheWheel()
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
            spacing=self.spacing.currentData(),
            clip_skip=self.clip_skip.value() or None,
            fast=self.fast.isChecked(),
            scale=self.scale.value(),
            upscaler=self.upscaler.currentData(),
            method=self.method.currentData(),
        )

    def set_form(self, form: Form) -> None:
        choose(self.task, form.task)
        self.prompt.set_text(form.prompt)
        self.negative.set_text(form.negative_prompt)
        for role, field in self.prompts.items():
            field.set_text(form.prompts.get(role, ""))
        for name in ("model", "area", "scheduler", "spacing", "upscaler", "method"):
            choose(getattr(self, name), getattr(form, name))
        self.width_.setValue(form.width or 512)
        self.height_.setValue(form.height or 512)
        self.count.setValue(form.count)
        self.strength.setValue(round(100 * form.strength))
        self.lock_alpha.setChecked(form.lock_alpha)
        self.seed.set_seed(form.seed)
        self.new_seed.setChecked(form.new_seed)
        self.steps.setValue(form.steps or 0)
        self.clip_skip.setValue(form.clip_skip or 0)
        self.fast.setChecked(form.fast)
        self.guidance.setValue(-0.5 if form.guidance_scale is None else form.guidance_scale)
        self.scale.setValue(form.scale)
        self._show_fields()

    def offer(self, models: Mapping[str, str], named: Mapping[str, Mapping[str, str]]) -> None:
        """Offer what the server has, by name and label; what is chosen stays chosen."""
        others = ((self.scheduler, "schedulers"), (self.spacing, "spacings"), (self.upscaler, "upscalers"))
        for combo, names in ((self.model, models), *((combo, named[kind]) for combo, kind in others)):
            chosen, default = combo.currentData(), combo.itemText(0)
            combo.blockSignals(True)
            combo.clear()
            for name, label in {"": default, **names}.items():
                combo.addItem(label, name)
            choose(combo, chosen)
            combo.blockSignals(False)

    def allow(self, tasks: Mapping[str, Sequence[str] | None]) -> None:
        """Grey out the tasks that the chosen model cannot do. The first model is the default; `None` means all tasks."""
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
        grid = grid_layout()
        self._add(grid, "model", "Model", self.model)
        self._add(grid, "area", "Place", self.area)
        self._add(grid, "size", "Size", side_by_side(self.width_, QtWidgets.QLabel("×"), self.height_))
        self._add(grid, "count", "Candidates", self.count)
        self._add(grid, "strength", "Strength", self.strength)
        self._add(grid, "lock_alpha", "", self.lock_alpha)
        self._add(grid, "scale", "Factor", self.scale)
        self._add(grid, "method", "Method", self.method)
        self._add(grid, "upscaler", "Enlarged by", self.upscaler)
        self._add(grid, "seed", "Seed", side_by_side(self.seed, self.new_seed))
        column.addLayout(grid)
        column.addWidget(self.more)
        details = grid_layout()
        self._details.setLayout(details)
        details.setContentsMargins(0, 0, 0, 0)
        self._add(details, "negative", "Avoid", self.negative)
        self._add(details, "foreground", "Foreground", self.prompts["foreground"])
        self._add(details, "background", "Background", self.prompts["background"])
        self._add(details, "steps", "Steps", self.steps)
        self._add(details, "guidance", "Guidance", self.guidance)
        self._add(details, "scheduler", "Sampler", self.scheduler)
        self._add(details, "spacing", "Spacing", self.spacing)
        self._add(details, "clip_skip", "CLIP skip", self.clip_skip)
        self._add(details, "fast", "", self.fast)
        column.addWidget(self._details)
        labels = [text for text, _ in self._rows.values()]
        for text in labels:  # both grids in line
            text.setMinimumWidth(max(one.sizeHint().width() for one in labels))

    def _add(self, grid: Any, name: str, label: str, field: Any) -> None:
        row, text = grid.rowCount(), QtWidgets.QLabel(label)
        text.setBuddy(field)
        grid.addWidget(text, row, 0)
        grid.addWidget(field, row, 1)
        self._rows[name] = [text, field]

    def _show_fields(self) -> None:
        """Show only the fields that the task takes."""
        fields = Form(task=self.task.currentData()).about.fields
        shown = {name: name in fields for name in ("area", "count", "strength", "lock_alpha", "scale", "method", "upscaler")}
        shown["size"] = "area" in fields and self.area.currentData() == "custom"
        shown["foreground"] = shown["background"] = "prompts" in fields
        for name, visible in shown.items():
            for widget in self._rows[name]:
                widget.setVisible(visible)
        self._details.setVisible(self.more.isChecked())
        self.more.setArrowType(Qt.ArrowType.DownArrow if self.more.isChecked() else Qt.ArrowType.RightArrow)
        self.seed.setEnabled(not self.new_seed.isChecked())
        self.task_changed.emit()
