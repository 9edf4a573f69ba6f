"""The fields of the docker, and the form that they hold. Knows widgets and the form; knows no document and no server."""

from __future__ import annotations

from typing import Any

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.forms.completion import completion
from acetate.plugins.bridge.forms.offers import Model, Offers
from acetate.plugins.bridge.tasks import BY_NAME, METHODS, SINGLE_STEPS
from acetate.plugins.bridge.translations import _, marked, said
from acetate.plugins.bridge.words import sentence
from acetate.vocabulary.parameters import PARAMETERS, range_of
from acetate.vocabulary.tasks import TASKS

from ..qt import Qt, QtWidgets, Signal, guarded
from .fields import (
    SPACING,
    Percent,
    SeedEdit,
    StillUnderTheWheel,
    choose,
    combo_box,
    decimal_box,
    fill,
    grid_layout,
    lock_alpha_box,
    side_by_side,
    spin_box,
    tell,
    tool_button,
)
from .lora_list import LoraList
from .placing_fields import PlacingFields
from .prompt_edit import PromptEdit
from .sampling_fields import LABELS, SamplingFields
from .style_box import StyleBox

AREAS = {"selection": marked("Selection, or canvas"), "canvas": marked("Canvas"), "custom": marked("Custom size")}
OF_TASK = ("area", "besides", "count", "strength", "lock_alpha", "scale", "method", "upscaler")
"""The fields that only some tasks have."""


class FormPanel(QtWidgets.QWidget):
    """One column: task, prompt, and the task's own fields; rarely used ones under *More*."""

    submitted = Signal()
    task_changed = Signal()
    task_left = Signal(str)
    """Someone has chosen another task than this one; the other fields still hold its values."""

    def __init__(self) -> None:
        super().__init__()
        self.offers = Offers()
        self._task = ""
        """The task whose values the fields hold."""
        self._rows: dict[str, list[Any]] = {}
        self._make_fields()
        self._make_details()
        self._lay_out()
        self._describe()
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
            besides=self.besides.currentData(),
            count=self.count.value(),
            strength=self.strength.value() / 100,
            lock_alpha=self.lock_alpha.isChecked(),
            seed=self.seed.seed(),
            new_seed=self.new_seed.isChecked(),
            loras=self.loras.chosen(),
            scale=self.scale.value(),
            upscaler=self.upscaler.currentData(),
            method=self.method.currentData(),
            **self.style.values(),
            **self.placing.values(),
            **self.sampling.values(),
        )

    def set_form(self, form: Form) -> None:
        """Show the form. What it replaces in a text comes back with Ctrl+Z there."""
        self._task = form.task
        choose(self.task, form.task)
        self.prompt.set_text(form.prompt)
        self.negative.set_text(form.negative_prompt)
        for role, field in self.prompts.items():
            field.set_text(form.prompts.get(role, ""))
        for name in ("model", "area", "besides", "upscaler", "method"):
            choose(getattr(self, name), getattr(form, name))
        self.style.show(form)
        self.width_.setValue(form.width or 512)
        self.height_.setValue(form.height or 512)
        self.count.setValue(form.count)
        self.strength.setValue(round(100 * form.strength))
        self.lock_alpha.setChecked(form.lock_alpha)
        self.seed.set_seed(form.seed)
        self.new_seed.setChecked(form.new_seed)
        self.loras.choose(form.loras)
        self.scale.setValue(form.scale)
        self.placing.show(form)
        self.sampling.show(form)
        self._show_fields()

    def offer(self, offers: Offers) -> None:
        """Fill the lists with what the server has; what is chosen stays."""
        self.offers = offers
        fill(self.model, {"": offers.default_label, **{name: one.title for name, one in offers.models.items()}})
        fill(self.upscaler, {"": _("Smooth interpolation"), **{name: name for name in offers.upscalers}})
        self.sampling.offer(offers)
        self._show_fields()

    def offer_layers(self, names: dict[str, str]) -> None:
        """The document's layers by their identities, for a task that takes a second one."""
        entries = {"": _("The layer below"), **names}
        if entries != {self.besides.itemData(row): self.besides.itemText(row) for row in range(self.besides.count())}:
            fill(self.besides, entries)

    @property
    def steps(self) -> Any:
        return self.sampling.widgets["steps"]

    # --- inside ------------------------------------------------------------------------------------------------------

    def _make_fields(self) -> None:
        offered = {**BY_NAME, **SINGLE_STEPS}
        tasks = [(name, said(one.label), sentence(said(one.meaning))) for name, one in offered.items()]
        self.task = combo_box("acetate_task", tasks)
        self.prompt = PromptEdit("acetate_prompt", _("What to draw"), 4)
        self.model = combo_box("acetate_model", [("", self.offers.default_label)])
        self.area = combo_box("acetate_area", [(area, _(label)) for area, label in AREAS.items()])
        self.width_, self.height_ = (
            spin_box(f"acetate_{side}", 8, range_of(side)[1], suffix=" px") for side in ("width", "height")
        )
        self.besides = combo_box("acetate_besides", [("", _("The layer below"))])
        self.count = spin_box("acetate_count", *range_of("count"))
        self.strength = Percent("acetate_strength")
        self.lock_alpha = lock_alpha_box()
        self.scale = decimal_box("acetate_scale", *range_of("scale"), suffix=" ×")
        self.upscaler = combo_box("acetate_upscaler", [("", _("Smooth interpolation"))])
        self.method = combo_box("acetate_method", [(method, *map(said, words)) for method, words in METHODS.items()])
        self.seed = SeedEdit()
        self.new_seed = QtWidgets.QCheckBox(_("Random"), objectName="acetate_new_seed")
        self.style = StyleBox(self.form)

    def _make_details(self) -> None:
        self.more = tool_button("acetate_more", _("More"), checkable=True)
        self.more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more.setArrowType(Qt.ArrowType.RightArrow)
        self.settings_menu = QtWidgets.QMenu(self)
        self._settings = tool_button("acetate_settings", "⚙", raised=True)
        self._settings.setMenu(self.settings_menu)
        self._settings.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        self.negative = PromptEdit("acetate_negative", _("What to avoid"), 2)
        self.prompts = {
            "foreground": PromptEdit("acetate_foreground_prompt", _("Only the foreground"), 2),
            "background": PromptEdit("acetate_background_prompt", _("Only the background"), 2),
        }
        self.loras = LoraList()
        self.placing = PlacingFields()
        self.sampling = SamplingFields()
        self._details = QtWidgets.QWidget()

    def _describe(self) -> None:
        """The names and tool tips of the fields; those of the sampler's have theirs."""
        tell(self.task, _("Task"), _("What Generate makes."))
        keys = _("Ctrl+Return generates; Ctrl+↑ and Ctrl+↓ weigh the word at the cursor.")
        tell(self.prompt, _("Prompt"), keys)
        tell(self.negative, _("Avoid"), _("What to leave out, in words."))
        for role, name in (("foreground", _("Foreground")), ("background", _("Background"))):
            tell(self.prompts[role], name, _("A prompt for this layer alone; the main prompt serves the others."))
        tell(self.model, _("Model"), _("The model that draws. More models: acetate models."))
        tell(self.area, _("Place"), _("Where the result goes, and how large it is."))
        for field, name in ((self.width_, _("Width")), (self.height_, _("Height"))):
            tell(field, name, _("The size of the result, in pixels."))
        tell(self.besides, _("Picture"), _("The layer that shows foreground and background together."))
        tell(self.count, _("Candidates"), _("How many to make; each has the next seed."))
        tell(self.strength, _("Strength"), _("How much may change: near 0 % hardly anything, at 100 % everything."))
        tell(self.lock_alpha, _("Keep the shape"), sentence(said(PARAMETERS["lock_alpha"].help)))
        tell(self.scale, _("Factor"), _("How many times wider and taller; the top left corner stays in place."))
        tell(self.method, _("Method"), _("Whether a model redraws the enlarged layer, and what it redraws."))
        tell(self.upscaler, _("Enlarged by"), _("An upscaling network of the server, or plain interpolation."))
        tell(self.seed, _("Seed"), _("The same seed gives the same picture; candidate i uses seed + i."))
        tell(self.new_seed, _("Random"), _("Choose a new seed for every generation."))
        tell(self.more, _("More"), _("Show the fields that are rarely needed."))
        tell(self._settings, _("Settings"), _("The server, and what documents remember."))
        tell(self.loras, _("LoRAs"), _("What is added to the model, each with its weight."))

    def _connect(self) -> None:
        self.model.currentIndexChanged.connect(guarded(self._show_fields))
        for field in (self.prompt, self.negative, *self.prompts.values()):
            field.submitted.connect(self.submitted)
            field.completions = self._completion
        self.task.currentIndexChanged.connect(guarded(self._change_task))
        self.area.currentIndexChanged.connect(guarded(self._show_fields))
        self.new_seed.toggled.connect(guarded(lambda checked: self.seed.setEnabled(not checked)))
        self.more.toggled.connect(guarded(self._show_fields))
        self.loras.words.connect(guarded(self.prompt.insert_words))
        self.style.chosen.connect(guarded(self.set_form))

    def _completion(self, text: str, cursor: int) -> Any:
        model = self.model.currentData()
        return completion(text, cursor, self.offers.of(self.offers.loras, model), self.offers.of(self.offers.embeddings, model))

    def _change_task(self) -> None:
        left, self._task = self._task, self.task.currentData()
        if left != self._task:
            self.task_left.emit(left)
        self._show_fields()

    def _lay_out(self) -> None:
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        column.addWidget(self.task)
        column.addWidget(self.prompt)
        grid, details = grid_layout(), grid_layout()
        self._size = side_by_side(self.width_, QtWidgets.QLabel("×"), self.height_)
        for name, label, field in (
            ("style", _("Style"), self.style),
            ("model", _("Model"), self.model),
            ("area", _("Place"), self.area),
            ("size", _("Size"), self._size),
            ("besides", _("Picture"), self.besides),
            ("count", _("Candidates"), self.count),
            ("strength", _("Strength"), self.strength),
            ("lock_alpha", "", self.lock_alpha),
            ("scale", _("Factor"), self.scale),
            ("method", _("Method"), self.method),
            ("upscaler", _("Enlarged by"), self.upscaler),
            ("seed", _("Seed"), side_by_side(self.seed, self.new_seed)),
        ):
            self._add(grid, name, label, field)
        column.addLayout(grid)
        line = QtWidgets.QHBoxLayout()
        line.addWidget(self.more)
        line.addStretch(1)
        line.addWidget(self._settings)
        column.addLayout(line)
        self._details.setLayout(details)
        details.setContentsMargins(0, 0, 0, 0)
        self._add(details, "negative", _("Avoid"), self.negative)
        for role, label in (("foreground", _("Foreground")), ("background", _("Background"))):
            self._add(details, role, label, self.prompts[role])
        self._add(details, "loras", _("LoRAs"), self.loras)
        for name, (label, field) in self.placing.rows.items():
            self._add(details, name, label, field)
        for name, field in self.sampling.widgets.items():
            self._add(details, name, "" if isinstance(field, QtWidgets.QCheckBox) else _(LABELS[name]), field)
        column.addWidget(self._details)
        labels = [text for text, _field in self._rows.values()]
        for text in labels:  # both grids in line
            text.setMinimumWidth(max(one.sizeHint().width() for one in labels))

    def _add(self, grid: Any, name: str, label: str, field: Any) -> None:
        row, text = grid.rowCount(), QtWidgets.QLabel(label)
        text.setBuddy(field)
        tall = isinstance(field, (PromptEdit, LoraList))
        grid.addWidget(text, row, 0, *((Qt.AlignmentFlag.AlignTop,) if tall else ()))
        grid.addWidget(field, row, 1)
        self._rows[name] = [text, field]

    def _show_tasks(self, model: Model) -> None:
        """Grey out what the model cannot do; single steps are there under *More*, with models that can."""
        for row in range(self.task.count()):
            name = self.task.itemData(row)
            self.task.model().item(row).setEnabled(model.can(name))
            wanted = name not in SINGLE_STEPS or (self.more.isChecked() and model.can(name)) or name == self.task.currentData()
            self.task.view().setRowHidden(row, not wanted)

    def _show_fields(self) -> None:
        """Show only the fields that change something for the task and the model, with the model's own values."""
        name, chosen = self.task.currentData(), self.model.currentData()
        task, model = TASKS[name], self.offers.model(chosen)
        shown = {field: field in task.fields for field in OF_TASK}
        shown["size"] = "area" in task.fields and self.area.currentData() == "custom"
        shown["foreground"] = shown["background"] = "prompts" in task.fields
        shown |= self.placing.shown(task, self.area.currentData())
        shown |= {field: model.heeds(name, field) for field in ("loras", *self.sampling.widgets)}
        for field, visible in shown.items():
            for widget in self._rows[field]:
                widget.setVisible(visible)
        self._show_tasks(model)
        self.sampling.adapt(self.offers, chosen)
        self.loras.offer(self.offers, chosen)
        self._details.setVisible(self.more.isChecked())
        self.more.setArrowType(Qt.ArrowType.DownArrow if self.more.isChecked() else Qt.ArrowType.RightArrow)
        self.seed.setEnabled(not self.new_seed.isChecked())
        self.task_changed.emit()
