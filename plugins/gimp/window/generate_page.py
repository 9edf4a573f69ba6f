"""The page on which a layer is described, watched and stopped, for every task.

Does not know how a layer is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from acetate.plugins.bridge.candidates import SAME_SIZE, size_words
from acetate.plugins.bridge.form import Form, fresh_seed
from acetate.plugins.bridge.forms.styles import Style
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.pictures.expected_size import can_sharpen, expected_size, sharpening
from acetate.plugins.bridge.placement import too_large
from acetate.plugins.bridge.translations import _
from acetate.plugins.bridge.words import explained
from acetate.protocol import Box, Connected, Disconnected, Engine, Event, Image, Starting
from gi.repository import Gimp, GLib, Gtk

from .. import canvas, jobs
from ..commands import COMMANDS
from ..forms.preset_buttons import PresetButtons
from ..forms.styles_row import StylesRow
from ..forms.task_form import TaskForm
from ..host import StoppedError
from ..procedure_call import ProcedureCall, drawn_anew, layers_of
from ..widgets.layout import SPACING, height_of_screen, with_mnemonic
from ..widgets.message_row import Offer
from ..widgets.preview import PreviewPane
from .candidates_strip import CandidatesRow
from .questions import may_convert
from .session import Session
from .subject_row import size_of

TASKS = {command.name: command for command in COMMANDS if command.task is not None}
FIRST = next(iter(TASKS))
RESERVED = "tkjlsrciy"
"""Letters of the window's own mnemonics."""
AROUND_FIELDS = 300
"""Pixels of the window's height that are not for the fields."""
LEAST_FIELDS = 200
"""The least height of the fields, where a screen is too low for the window."""


class GeneratePage:
    """See `session.Page`. `closes` is called when a layer has come and the window is not to stay open."""

    def __init__(self, session: Session, call: ProcedureCall, closes: Callable[[], None]) -> None:
        self.label, self.help_id = _("Generate"), FIRST
        self._session, self._given, self._closes = session, call, closes
        self._forms: dict[str, TaskForm] = {}
        self._shown = call.command.name if call.command.name in TASKS else FIRST
        self._running: list[PendingResult] = []
        self._convertible: list[Gimp.Image] = []
        """Images with a palette that the person lets become RGB."""
        self.place = ""
        """Where a result would go now, and how large it would be, in words."""
        self._place = ""
        self._asked: tuple[object, ...] = ()
        """The form, the image and the layer that `_place` is for."""
        self._presets = PresetButtons(lambda: self._form.presets, session.say)
        self.buttons = self._presets.widgets
        self.main_button = Gtk.Button(use_underline=True, can_default=True)
        self._stack = Gtk.Stack(vhomogeneous=False)
        self._labels = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self.widget = self._built()
        first = self._start()
        record = canvas.attached(session.target.layer)
        if record:  # begin with what the layer was made with
            first.fill(jobs.form_of_record(record, first.form))

    @property
    def title(self) -> str:
        return self._form.call.command.title

    @property
    def waiting(self) -> Sequence[PendingResult]:
        return (*self._running, *self._candidates.waiting)

    @property
    def _form(self) -> TaskForm:
        return self._forms[self._shown]

    def choose(self, command: str) -> None:
        """Show the form of this procedure's task."""
        self._tasks.set_active_id(command)

    def use(self, task: str, form: Callable[[Form], Form]) -> None:
        """Show the form of this task, filled in by `form` from the present one."""
        command = next((name for name, one in TASKS.items() if one.task is not None and one.task.name == task), None)
        if command is not None:
            self.choose(command)
            self._form.fill(form(self._form.form), seed_too=True)

    def _use_style(self, style: Style | None) -> None:
        """Show the settings of a style; its words go round the prompt when that is sent."""
        if style is not None:
            form = self._form
            form.fill(style.chosen(form.form))

    def adapt(self) -> None:
        """Show the fields that the values call for, and all of them where there is room; call this after `show_all`."""
        self._form.fields.adapt()
        self._fit()

    def show(self) -> None:
        self._form.fields.take_focus()

    def close(self) -> None:
        for form in self._forms.values():
            form.presets.keep()

    # --- one generation ----------------------------------------------------------------------------------------------

    def submit(self) -> None:
        """Ask for what the form says; what refuses it is said, and nothing of the form changes."""
        form, config = self._form, self._form.call.config
        form.presets.keep()
        self._session.target.look()
        if refused := self._refused():
            self._session.say(f"{refused}.")
            return
        self._session.say("")
        if not self._may_convert():
            return
        seed = config.get_property("seed")
        if config.get_property("new-seed"):
            config.set_property("seed", fresh_seed())
        try:
            result = self._begun(form)
            if result.error is not None:  # refused while it was read
                layers_of(result)
        except RefusedError as refusal:
            config.set_property("seed", seed)
            self._session.say(str(refusal))
            return
        form.presets.keep()
        self._follow(result)

    def _follow(self, result: PendingResult) -> None:
        self._running.append(result)
        self._session.job_ids.add(result.job)
        box = result.plan.box
        self._preview.clear(*((box.width, box.height) if box is not None else (1, 1)))
        self._candidates.begin(result)

    def _begun(self, form: TaskForm) -> PendingResult:
        target = self._session.target
        return form.call.generate(
            self._session.jobs,
            target.image,
            target.layer,
            target.anchor,
            pictures=(0,) if form.form.count > 1 else None,
            adapted=lambda asked: self._styles.worded(self._session.offers.suited(asked)),
        )

    def _may_convert(self) -> bool:
        """A palette cannot hold a generated layer, and converting the image loses the palette: ask once before doing so."""
        image = self._session.target.image
        if image is None or image.get_base_type() != Gimp.ImageBaseType.INDEXED or image in self._convertible:
            return True
        if may_convert(image):
            self._convertible.append(image)
        return image in self._convertible

    def _end(self, result: PendingResult) -> None:
        if result in self._running:
            self._running.remove(result)
        self._progress.set_fraction(0.0)
        self._form.presets.keep()
        try:
            layers = layers_of(result)
        except StoppedError:
            self._progress.set_text(_("Stopped"))
            return
        except RefusedError as refusal:
            self._progress.set_text("")
            self._session.say(str(refusal))
            return
        self._session.made += layers
        if (image := layers[0].get_image()) is None:  # closed again
            self._progress.set_text("")
            return
        self._session.target.take_up(image)
        self._progress.set_text(_("Inserted {name}").format(name=canvas.inserted_name(layers)))
        if self._candidates.widget.get_visible():
            self._candidates.show_chosen()
        elif result.form is not None:
            self._show_result(result)
        self._tell(result, layers[0])
        if not self._form.call.value("keep-open") and result.form is not None:
            self._closes()

    def _tell(self, result: PendingResult, layer: Gimp.Layer) -> None:
        """Say what there is to know about a result that was put in as this layer: that it was enlarged, with what helps."""
        offers, notes = self._session.offers, [*result.notes]
        drawn = next((ready.layer.drawn for ready in result.status.layers if ready.layer.drawn is not None), None)
        offer = None
        if drawn is not None and drawn.enlarged > 1 + SAME_SIZE and can_sharpen(offers) and layer.is_valid():
            notes.append(_("Drawn at {drawn}.").format(drawn=size_words(drawn)))
            about = _("Draw the new layer anew at its full size")
            prompt = result.form.prompt if result.form is not None else self._form.form.prompt
            offer = Offer(_("Draw anew"), about, lambda: self._draw_anew(layer, prompt))
        self._session.say("\n".join(notes), "dialog-warning" if result.notes else "dialog-information", offer)

    def _draw_anew(self, layer: Gimp.Layer, prompt: str) -> None:
        self._session.say("")
        offers = self._session.offers
        try:
            form = offers.suited(sharpening(offers, self._form.form, prompt).with_seed())
            result = drawn_anew(layer, form, self._session.jobs)
            if result.error is not None:  # refused while it was read
                layers_of(result)
        except RefusedError as refusal:
            self._session.say(str(refusal))
            return
        self._follow(result)

    def _on_stop(self, _button: Gtk.Button) -> None:
        if (shown := self._session.jobs.generation) is not None:
            self._session.jobs.cancel(shown)

    # --- what happens ------------------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        self._candidates.take(event)
        if isinstance(event, (Connected, Engine)):
            self._offer()
        if isinstance(event, (Connected, Disconnected, Starting)) and not self._running:
            connection = self._session.connection
            self._progress.set_text("" if connection.over else connection.text)

    def look(self, *, elsewhere: bool) -> None:
        for result in tuple(self._running):
            if result.over:
                self._end(result)
        self._candidates.look(self._end)
        shown = self._session.jobs.generation
        if shown is not None:
            self._show_progress(shown)
        self._stop_button.set_sensitive(shown is not None and not shown.status.stopping)
        refused = self._refused()
        self.main_button.set_sensitive(not refused)
        self.main_button.set_tooltip_text(refused or _("Ctrl+Return does the same"))
        asked = (self._form.form, self._session.target.now, self._session.target.layer, self._session.offers)
        if asked != self._asked:  # pixels are looked at for it: not at every tick
            self._asked, self._place = asked, self._placed()
        self.place = refused or self._place

    def _refused(self) -> str:
        """What has to be done in the image before the task can be asked for; empty when nothing."""
        target, task = self._session.target, self._form.task
        if task.takes is None:
            return ""
        if target.image is None:
            return _("Open an image first")
        if target.layer is None:
            return _("Choose which layer is meant") if target.candidates else _("Select a layer first")
        if task.masked and target.now is not None and target.now.selection is None:
            return _("Select the part that may change")
        return ""

    def _placed(self) -> str:
        target, form = self._session.target, self._form
        try:
            box = jobs.wanted_box(form.form, target.image, target.layer)
        except RefusedError:
            return ""
        if box is None:
            return _("In the model's own size")
        form.fields.propose_size(box.width, box.height)
        made = form.form.result_box(box)
        if (complaint := too_large(made)) is not None:
            return complaint
        self._preview.expect(made.width, made.height)
        size = _("Result {size} pixels").format(size=size_of(made))
        drawn = expected_size(self._session.offers, form.form, made)
        if drawn is None or (drawn.width, drawn.height) == (made.width, made.height):
            return size
        return _("{size}, drawn at {drawn}").format(size=size, drawn=size_words(drawn))

    def _offer(self) -> None:
        """Show the models that can do this task; when the default cannot, choose the first that can."""
        engine, offers, form = self._session.engine, self._session.offers, self._form
        if engine is None:
            return
        able = {name: model.title for name, model in offers.models.items() if model.can(form.task.name)}
        form.offer(offers, able)
        if able and offers.default not in able and not form.call.value("model"):
            form.call.config.set_property("model", next(iter(able)))
        if engine.failure is not None:
            self._session.say(explained(engine.failure))
        elif offers.models and not able:
            self._session.say(_("None of the server's models can do that. Add one that can: acetate models"))

    # --- what is seen ------------------------------------------------------------------------------------------------

    def _built(self) -> Gtk.Widget:
        self._tasks = Gtk.ComboBoxText()
        for name, command in TASKS.items():
            assert command.task is not None
            self._tasks.append(name, _(command.task.label))
        self._tasks.set_active_id(self._shown)
        self._tasks.connect("changed", self._on_task)
        label = Gtk.Label.new_with_mnemonic(_("_Task"))
        label.set_mnemonic_widget(self._tasks)
        label.set_xalign(0.0)
        self._labels.add_widget(label)
        chooser = Gtk.Box(spacing=SPACING)
        chooser.pack_start(label, False, False, 0)
        chooser.pack_start(self._tasks, True, True, 0)

        self._styles = StylesRow(lambda: self._form.form, self._use_style)
        style_label = Gtk.Label.new_with_mnemonic(_("St_yle"))
        style_label.set_mnemonic_widget(self._styles.list)
        style_label.set_xalign(0.0)
        self._labels.add_widget(style_label)
        styles = Gtk.Box(spacing=SPACING)
        styles.pack_start(style_label, False, False, 0)
        styles.pack_start(self._styles.widget, True, True, 0)

        left = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        left.pack_start(chooser, False, False, 0)
        self._fields = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        self._fields.pack_start(self._stack, False, False, 0)
        self._fields.pack_start(styles, False, False, 0)
        left.pack_start(self._scrolled(self._fields), True, True, 0)
        self._preview = PreviewPane()
        columns = Gtk.Box(spacing=2 * SPACING)
        columns.pack_start(left, True, True, 0)
        right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        right.pack_start(self._preview.widget, False, False, 0)
        self._candidates = CandidatesRow(self._session, self._preview, lambda text: self._progress.set_text(text))
        right.pack_start(self._candidates.widget, False, False, 0)
        columns.pack_start(right, False, False, 0)

        self._progress = Gtk.ProgressBar(show_text=True, text=self._session.connection.text, valign=Gtk.Align.CENTER)
        self._stop_button = Gtk.Button(label=_("Stop _Job"), use_underline=True, sensitive=False)
        self._stop_button.connect("clicked", self._on_stop)
        row = Gtk.Box(spacing=SPACING)
        row.pack_start(self._progress, True, True, 0)
        row.pack_start(self._stop_button, False, False, 0)
        whole = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        whole.pack_start(columns, True, True, 0)
        whole.pack_start(row, False, False, 0)
        return whole

    def _scrolled(self, fields: Gtk.Widget) -> Gtk.Widget:
        """All of the fields where the screen has room for them."""
        self._scroller = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER, propagate_natural_width=True)
        self._scroller.add(fields)
        return self._scroller

    def _fit(self) -> None:
        """Give the fields the height that they need, as far as the screen has it."""
        room = max(LEAST_FIELDS, height_of_screen(self._tasks) - AROUND_FIELDS)
        self._scroller.set_min_content_height(min(room, self._fields.get_preferred_height().natural_height))
        details = self._form.fields.details
        if details is not None and details.get_expanded():  # on a low screen they would be below what is seen
            GLib.idle_add(lambda: self._scroller.get_vadjustment().set_value(details.get_allocation().y) and None)

    def _on_task(self, tasks: Gtk.ComboBoxText) -> None:
        prompt = self._form.call.value("prompt")
        self._shown = tasks.get_active_id()
        form = self._start()
        if not form.call.value("prompt"):  # what is typed is meant for the next task, too
            form.call.config.set_property("prompt", prompt or "")
        toplevel = self.widget.get_toplevel()
        if isinstance(toplevel, Gtk.Window):
            toplevel.set_title(self.title)

    def _start(self) -> TaskForm:
        """Show the chosen task's form, which is made if this is the first time."""
        if self._shown not in self._forms:
            form = self._forms[self._shown] = TaskForm(self._given, self._shown, self._labels, self._fit)
            form.fields.widget.show_all()
            self._stack.add_named(form.fields.widget, self._shown)
            form.fields.adapt()
        form = self._form
        self._stack.set_visible_child(form.fields.widget)
        self.help_id = self._shown
        self.main_button.set_label(with_mnemonic(_(form.task.verb), form.fields.letters | set(RESERVED)))
        self._tasks.set_tooltip_text(_(form.task.meaning))
        self._presets.adapt()
        self._offer()
        self._fit()
        return form

    def _show_progress(self, result: PendingResult) -> None:
        status = result.status
        self._progress.set_text(self._session.queue.text_of(result))
        if status.fraction is None:
            self._progress.pulse()
        else:
            self._progress.set_fraction(status.fraction)
        if status.preview is not None:
            from_nothing = result.form is not None and result.form.about.from_nothing
            self._preview.show_working(status.preview, from_nothing=from_nothing)
            status.preview = None

    def _show_result(self, result: PendingResult) -> None:
        """The topmost visible layer, in its place."""
        shown = [ready for ready in result.status.layers if ready.layer.visible and ready.layer.picture == 0 and ready.data]
        if shown:
            top = max(shown, key=lambda ready: ready.layer.order)
            place = Box(top.layer.x, top.layer.y, top.layer.width, top.layer.height)
            self._preview.show_placed(Image(place.width, place.height, top.layer.format, top.data), place, top.layer.box)
