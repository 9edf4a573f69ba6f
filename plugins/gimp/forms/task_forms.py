"""The task, its fields and the person's styles: what is chosen and typed on the page with the forms.

Does not know what becomes of the values, nor the server.
"""

from __future__ import annotations

from collections.abc import Callable

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.forms.styles import Style
from acetate.plugins.bridge.translations import _
from gi.repository import GLib, Gtk

from ..commands import COMMANDS
from ..procedure_call import ProcedureCall
from ..widgets.layout import SPACING, height_of_screen
from ..widgets.mnemonics import STYLE, TASK
from .styles_row import StylesRow
from .task_form import TaskForm

TASKS = {command.name: command for command in COMMANDS if command.task is not None}
FIRST = next(iter(TASKS))
AROUND_FIELDS = 300
"""Pixels of the window's height that are not for the fields."""
LEAST_FIELDS = 200
"""The least height of the fields, where a screen is too low for the window."""


class TaskForms:
    """`.widget` is what to pack; `.form` is the form that is shown, `.shown` the name of its procedure."""

    def __init__(self, given: ProcedureCall, turned: Callable[[], None]) -> None:
        """`turned` is called when another task's form is shown than before, and not for the first one."""
        self._given, self._turned = given, turned
        self._forms: dict[str, TaskForm] = {}
        self.shown = given.command.name if given.command.name in TASKS else FIRST
        self._labels = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self._stack = Gtk.Stack(vhomogeneous=False)
        self._tasks = Gtk.ComboBoxText()
        for name, command in TASKS.items():
            assert command.task is not None
            self._tasks.append(name, _(command.task.label))
        self._tasks.set_active_id(self.shown)
        self._tasks.connect("changed", self._on_task)
        self.styles = StylesRow(lambda: self.form.form, self._use_style)
        self.widget = self._built()
        self._show()

    @property
    def form(self) -> TaskForm:
        return self._forms[self.shown]

    def choose(self, command: str) -> None:
        """Show the form of this procedure's task."""
        self._tasks.set_active_id(command)

    def use(self, task: str, form: Callable[[Form], Form]) -> None:
        """Show the form of this task, filled in by `form` from the present one."""
        command = next((name for name, one in TASKS.items() if one.task is not None and one.task.name == task), None)
        if command is not None:
            self.choose(command)
            self.form.fill(form(self.form.form), seed_too=True)

    def adapt(self) -> None:
        """Show the fields that the values call for, and all of them where there is room; call this after `show_all`."""
        self.form.fields.adapt()
        self._fit()

    def keep(self) -> None:
        """Keep what is typed in all forms."""
        for form in self._forms.values():
            form.presets.keep()

    def _use_style(self, style: Style | None) -> None:
        """Show the settings of a style; its words go round the prompt when that is sent."""
        if style is not None:
            self.form.fill(style.chosen(self.form.form))

    def _on_task(self, tasks: Gtk.ComboBoxText) -> None:
        prompt = self.form.call.value("prompt")
        self.shown = tasks.get_active_id()
        self._show()
        if not self.form.call.value("prompt"):  # what is typed is meant for the next task, too
            self.form.call.config.set_property("prompt", prompt or "")
        self._turned()

    def _show(self) -> None:
        """Show the chosen task's form, which is made if this is the first time."""
        if self.shown not in self._forms:
            form = self._forms[self.shown] = TaskForm(self._given, self.shown, self._labels, self._fit)
            form.fields.widget.show_all()
            self._stack.add_named(form.fields.widget, self.shown)
            form.fields.adapt()
        self._stack.set_visible_child(self.form.fields.widget)
        self._tasks.set_tooltip_text(_(self.form.task.meaning))
        self._fit()

    # --- what is seen ------------------------------------------------------------------------------------------------

    def _built(self) -> Gtk.Widget:
        self._fields = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        self._fields.pack_start(self._stack, False, False, 0)
        self._fields.pack_start(self._labelled(_(STYLE), self.styles.list, self.styles.widget), False, False, 0)
        self._scroller = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER, propagate_natural_width=True)
        self._scroller.set_overlay_scrolling(False)  # else the bar lies over the buttons at the fields' right edge
        self._scroller.add(self._fields)
        whole = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        whole.pack_start(self._labelled(_(TASK), self._tasks, self._tasks), False, False, 0)
        whole.pack_start(self._scroller, True, True, 0)
        return whole

    def _labelled(self, text: str, focus: Gtk.Widget, widget: Gtk.Widget) -> Gtk.Widget:
        """A row with a label as wide as those of the fields, whose letter leads to `focus`."""
        label = Gtk.Label.new_with_mnemonic(text)
        label.set_mnemonic_widget(focus)
        label.set_xalign(0.0)
        self._labels.add_widget(label)
        row = Gtk.Box(spacing=SPACING)
        row.pack_start(label, False, False, 0)
        row.pack_start(widget, True, True, 0)
        return row

    def _fit(self) -> None:
        """Give the fields the height that they need, as far as the screen has it."""
        room = max(LEAST_FIELDS, height_of_screen(self._tasks) - AROUND_FIELDS)
        self._scroller.set_min_content_height(min(room, self._fields.get_preferred_height().natural_height))
        details = self.form.fields.details
        if details is not None and details.get_expanded():  # on a low screen they would be below what is seen
            GLib.idle_add(lambda: self._scroller.get_vadjustment().set_value(details.get_allocation().y) and None)
