"""The window in which a layer is described, watched and stopped; it stays open for the next try.

Does not know how a layer is made. Imported only when there is a screen.
"""

from __future__ import annotations

from typing import Any

from acetate.plugins.bridge.form import fresh_seed
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.job_status import JobStatus
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.words import explained
from acetate.protocol import Client, Connected, Engine, Event, Image
from gi.repository import Gimp, GimpUi, GLib, Gtk

from . import canvas, jobs
from .fields import SPACING, FieldGrid
from .host import StoppedError
from .preview import PreviewPane
from .procedure_call import ProcedureCall, layers_of
from .values import fill, form_of
from .window import JobWindow

MESSAGE_CHARACTERS = 60
"""Width at which a message breaks into lines."""


def generate(call: ProcedureCall, client: Client) -> list[Gimp.Layer]:
    """Open the window; return all layers that were made until it is closed. Raises `StoppedError` when there are none."""
    GimpUi.init(call.command.name)
    _start_from_layer(call)
    layers = GenerateWindow(call, client).run()
    if not layers:
        raise StoppedError
    return layers


def _start_from_layer(call: ProcedureCall) -> None:
    """Fill the form with what the selected layer was made with, if Acetate made it."""
    record = canvas.attached(call.layer)
    task = call.command.task
    if record and task is not None:
        present = form_of(call.config, call.command.names, task.name)
        fill(call.config, [name for name in call.command.names if name != "new-seed"], jobs.form_of_record(record, present))


class GenerateWindow(JobWindow):
    """The window of one call, from opening to closing."""

    def __init__(self, call: ProcedureCall, client: Client) -> None:
        super().__init__(call, client)
        self._result: PendingResult | None = None
        """The result that is on its way."""
        self._image, self._subject = call.image, call.layer
        self._job_ids: set[str] = set()
        """The jobs that were started in this window."""
        self._closing = False
        self._loop = GLib.MainLoop()
        self._dialog = GimpUi.ProcedureDialog.new(call.procedure, call.config, call.command.title)
        self._dialog.set_ok_label("_Generate")
        self._generate_button = self._dialog.get_widget_for_response(Gtk.ResponseType.OK)
        self._close_button = self._dialog.get_widget_for_response(Gtk.ResponseType.CANCEL)
        self._close_button.set_label("_Close")
        self._dialog.connect("response", self._on_response)
        self._dialog.connect("delete-event", self._on_delete)
        self._build()

    def run(self) -> list[Gimp.Layer]:
        layers: list[Gimp.Layer] = []
        try:
            with self._ticking():
                while self._dialog.run() and not self._closing:
                    made = self._generate()
                    layers += made
                    if self._closing or (made and not self._call.value("keep-open")):
                        break
        finally:
            self._dialog.destroy()
        return layers

    # --- one generation ----------------------------------------------------------------------------------------------

    def _generate(self) -> list[Gimp.Layer]:
        """The new layers; none when it failed, which the window says, or was stopped."""
        if self._call.value("new-seed"):
            self._call.config.set_property("seed", fresh_seed())
        self._say("")
        try:
            layers = self._finish(self._begin())
            self._progress.set_text("Inserted " + canvas.inserted_name(layers))
            return layers
        except RefusedError as refusal:
            self._say(str(refusal))
            self._progress.set_text("")
        except StoppedError:
            self._progress.set_text("Stopped")
        finally:
            self._result = None
            self._set_running(False)
        return []

    def _begin(self) -> PendingResult:
        if self._image is not None and not self._image.is_valid():  # closed meanwhile
            self._image = self._subject = None
        subject, above = self._layers()
        self._result = result = self._call.generate(self._jobs, self._image, subject, above)
        box = result.plan.box
        self._preview.clear(*((box.width, box.height) if box is not None else (1, 1)))
        self._job_ids.add(result.job)
        return result

    def _finish(self, result: PendingResult) -> list[Gimp.Layer]:
        if not result.over:  # what was refused while it was read is over before it began
            self._set_running(True)
            self._loop.run()
        layers = layers_of(result)
        self._image = layers[0].get_image()
        self._show_result(result)
        self._say("\n".join(result.notes), "dialog-warning")
        return layers

    def _layers(self) -> tuple[Gimp.Layer | None, Gimp.Layer | None]:
        """The layer that the run is about, and the one that its result goes above.

        Both are the selected one; but what this window has inserted itself, and so selected, it goes above without being about
        it: pressing Generate again tries the same thing again.
        """
        if self._image is None:
            return None, None
        selected = canvas.active_layer(self._image, ())
        if canvas.attached(selected).get("job") not in self._job_ids:
            self._subject = selected
        return self._subject, selected

    def _look(self) -> None:
        if self._result is not None:
            self._show_progress(self._result.status)
            if self._result.over:
                self._loop.quit()

    def _wake(self) -> None:
        self._closing = True
        self._loop.quit()
        self._dialog.response(Gtk.ResponseType.CANCEL)

    def _take(self, event: Event) -> None:
        if isinstance(event, Connected):
            self._offer(event.welcome.engine)
        elif isinstance(event, Engine):
            self._offer(event)
        if self._result is None:
            self._show_connection()

    def _offer(self, engine: Engine) -> None:
        """Show the models that can do this task; when the default cannot, choose the first that can."""
        task, config = self._call.command.task, self._call.config
        assert task is not None
        models = {str(model["name"]): model for model in engine.models if "name" in model}
        able = {
            name: str(model.get("title") or name)
            for name, model in models.items()
            if task.name in model.get("tasks", (task.name,))
        }
        self._fields.offer("model", able)
        self._fields.offer("upscaler", {name: name for name in engine.details.get("upscalers", ())})
        if able and next(iter(models)) not in able and not config.get_property("model"):
            config.set_property("model", next(iter(able)))
        if engine.failure is not None:
            self._say(explained(engine.failure))
        elif models and not able:
            self._say("None of the server's models can do that. Add one that can: acetate models")

    def _on_response(self, _dialog: Any, response: int) -> None:
        """While a run goes on GIMP's own loop does not: Close and Escape stop the run, and close the window after it."""
        if self._result is not None and response in (Gtk.ResponseType.CANCEL, Gtk.ResponseType.DELETE_EVENT):
            self._closing = True
            self._jobs.cancel(self._result)

    def _on_delete(self, *_: Any) -> bool:
        """The same for the window's own close button; while no run goes on GIMP's loop answers it."""
        if self._result is not None:
            self._on_response(None, Gtk.ResponseType.DELETE_EVENT)
        return self._result is not None

    def _on_stop(self, _button: Gtk.Button) -> None:
        if self._result is not None:
            self._jobs.cancel(self._result)

    # --- what is seen ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        # The window's own buttons, Reset and presets come with fill(); everything else is packed above.
        self._dialog.fill(["keep-open"])
        columns = Gtk.Box(spacing=2 * SPACING)
        self._fields = FieldGrid(self._call.procedure, self._call.config, self._call.command.names, self._submit)
        columns.pack_start(self._fields.widget, True, True, 0)
        self._preview = PreviewPane()
        columns.pack_start(self._preview.widget, False, False, 0)

        self._progress = Gtk.ProgressBar(show_text=True, text=self._connection.text, valign=Gtk.Align.CENTER)
        self._stop_button = Gtk.Button(label="St_op", use_underline=True, sensitive=False)
        self._stop_button.connect("clicked", self._on_stop)
        row = Gtk.Box(spacing=SPACING)
        row.pack_start(self._progress, True, True, 0)
        row.pack_start(self._stop_button, False, False, 0)

        self._message = Gtk.Label(wrap=True, selectable=True, xalign=0.0, max_width_chars=MESSAGE_CHARACTERS)
        self._message_icon = Gtk.Image(valign=Gtk.Align.START)
        self._message_row = Gtk.Box(spacing=SPACING, margin_bottom=SPACING)
        self._message_row.pack_start(self._message_icon, False, False, 0)
        self._message_row.pack_start(self._message, True, True, 0)

        content = self._dialog.get_content_area()
        for place, widget in enumerate((columns, row, self._message_row)):
            widget.show_all()
            content.pack_start(widget, False, False, 0)
            content.reorder_child(widget, place)
        self._fields.adapt()
        self._fields.take_focus()
        self._message_row.hide()

    def _submit(self) -> None:
        if self._result is None:
            self._dialog.response(Gtk.ResponseType.OK)

    def _set_running(self, running: bool) -> None:
        self._fields.widget.set_sensitive(not running)
        self._generate_button.set_sensitive(not running)
        self._stop_button.set_sensitive(running)
        self._progress.set_fraction(0.0)
        if not running:
            self._fields.take_focus()

    def _show_progress(self, status: JobStatus) -> None:
        self._progress.set_text(status.text)
        if status.fraction is None:
            self._progress.pulse()
        else:
            self._progress.set_fraction(status.fraction)
        if status.preview is not None:
            self._preview.show(status.preview)
            status.preview = None

    def _show_connection(self) -> None:
        failure = self._connection.failure
        self._say(explained(failure) if failure is not None and self._connection.over else "")
        self._progress.set_text("" if self._connection.over else self._connection.text)

    def _show_result(self, result: PendingResult) -> None:
        """The topmost visible layer, in its place."""
        shown = [ready for ready in result.status.layers if ready.layer.visible and ready.layer.picture == 0 and ready.data]
        if shown:
            top = max(shown, key=lambda ready: ready.layer.order)
            self._preview.show_placed(Image(top.layer.width, top.layer.height, top.layer.format, top.data), top.layer)

    def _say(self, text: str, icon: str = "dialog-error") -> None:
        self._message_icon.set_from_icon_name(icon, Gtk.IconSize.BUTTON)
        self._message.set_text(text)
        self._message_row.set_visible(bool(text))
