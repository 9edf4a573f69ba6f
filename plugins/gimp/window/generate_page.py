"""The page on which a layer is described, watched and stopped, for every task.

Does not know how a layer is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from acetate.plugins.bridge.candidates import SAME_SIZE, size_words
from acetate.plugins.bridge.form import Form, fresh_seed
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.pictures.expected_size import can_sharpen, expected_size, sharpening
from acetate.plugins.bridge.placement import too_large
from acetate.plugins.bridge.translations import _
from acetate.plugins.bridge.words import explained
from acetate.protocol import Box, Connected, Disconnected, Engine, Event, Image, Starting
from gi.repository import Gimp, Gtk

from .. import canvas, jobs
from ..forms.preset_buttons import PresetButtons
from ..forms.task_form import TaskForm
from ..forms.task_forms import FIRST, TaskForms
from ..host import StoppedError
from ..procedure_call import ProcedureCall, drawn_anew, layers_of
from ..widgets.layout import SPACING
from ..widgets.message_row import Offer
from ..widgets.mnemonics import letters_beside_fields, letters_of, with_mnemonic
from ..widgets.preview import PreviewPane
from ..widgets.progress_row import ProgressRow
from .candidates_strip import CandidatesRow
from .questions import may_convert
from .session import Session
from .subject_row import size_of


class GeneratePage:
    """See `session.Page`. `closes` is called when a layer has come and the window is not to stay open."""

    def __init__(self, session: Session, call: ProcedureCall, closes: Callable[[], None]) -> None:
        self.label, self.help_id = _("Generate"), FIRST
        self._session, self._closes = session, closes
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
        self._forms = TaskForms(call, self._turn)
        self.widget = self._built()
        self._turn()
        record = canvas.attached(session.target.layer)
        if record:  # begin with what the layer was made with
            self._form.fill(jobs.form_of_record(record, self._form.form))

    @property
    def title(self) -> str:
        return self._form.call.command.title

    @property
    def waiting(self) -> Sequence[PendingResult]:
        return (*self._running, *self._candidates.waiting)

    @property
    def _form(self) -> TaskForm:
        return self._forms.form

    def choose(self, command: str) -> None:
        """Show the form of this procedure's task."""
        self._forms.choose(command)

    def use(self, task: str, form: Callable[[Form], Form]) -> None:
        """Show the form of this task, filled in by `form` from the present one."""
        self._forms.use(task, form)

    def adapt(self) -> None:
        """Show the fields that the values call for, and all of them where there is room; call this after `show_all`."""
        self._forms.adapt()

    def show(self) -> None:
        self._form.fields.take_focus()

    def close(self) -> None:
        self._forms.keep()

    # --- one generation ----------------------------------------------------------------------------------------------

    def submit(self) -> None:
        """Ask for what the form says; what refuses it is said, and nothing of the form changes."""
        form, config = self._form, self._form.call.config
        form.presets.keep()
        self._session.target.look()
        if refused := self._session.target.lack(self._form.task):
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
            adapted=lambda asked: self._forms.styles.worded(self._session.offers.suited(asked)),
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
        self._progress.show("", 0.0)
        self._form.presets.keep()
        try:
            layers = layers_of(result)
        except StoppedError:
            self._progress.say(_("Stopped"))
            return
        except RefusedError as refusal:
            self._session.say(str(refusal))
            return
        self._session.made += layers
        if (image := layers[0].get_image()) is None:  # closed again
            return
        self._session.target.take_up(image)
        self._progress.say(_("Inserted {name}").format(name=canvas.inserted_name(layers)))
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

    def _stop(self) -> None:
        if (shown := self._session.jobs.generation) is not None:
            self._session.jobs.cancel(shown)

    # --- what happens ------------------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        self._candidates.take(event)
        if isinstance(event, (Connected, Engine)):
            self._offer()
        if isinstance(event, (Connected, Disconnected, Starting)) and not self._running:
            connection = self._session.connection
            self._progress.say("" if connection.over else connection.text)

    def look(self, *, elsewhere: bool) -> None:
        for result in tuple(self._running):
            if result.over:
                self._end(result)
        self._candidates.look(self._end)
        shown = self._session.jobs.generation
        if shown is not None:
            self._show_progress(shown)
        self._progress.allow_stop(shown is not None and not shown.status.stopping)
        refused = self._session.target.lack(self._form.task)
        self.main_button.set_sensitive(not refused)
        self.main_button.set_tooltip_text(refused or _("Ctrl+Return does the same"))
        asked = (self._form.form, self._session.target.now, self._session.target.layer, self._session.offers)
        if asked != self._asked:  # pixels are looked at for it: not at every tick
            self._asked, self._place = asked, self._placed()
        self.place = refused or self._place

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
        self._preview = PreviewPane()
        self._progress = ProgressRow(self._session.connection.text, self._stop)
        self._candidates = CandidatesRow(self._session, self._preview, self._progress.say)
        right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        right.pack_start(self._preview.widget, False, False, 0)
        right.pack_start(self._candidates.widget, False, False, 0)
        columns = Gtk.Box(spacing=2 * SPACING)
        columns.pack_start(self._forms.widget, True, True, 0)
        columns.pack_start(right, False, False, 0)
        whole = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        whole.pack_start(columns, True, True, 0)
        whole.pack_start(self._progress.widget, False, False, 0)
        return whole

    def _turn(self) -> None:
        """Another task's form is shown."""
        form = self._form
        self.help_id = self._forms.shown
        taken = letters_of(form.fields.labels) | letters_beside_fields()
        self.main_button.set_label(with_mnemonic(_(form.task.verb), taken))
        self._presets.adapt()
        self._offer()
        if isinstance(toplevel := self.widget.get_toplevel(), Gtk.Window):
            toplevel.set_title(self.title)

    def _show_progress(self, result: PendingResult) -> None:
        status = result.status
        self._progress.show(self._session.queue.text_of(result), status.fraction)
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
