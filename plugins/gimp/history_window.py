"""The window with finished results: thumbnails on a checkerboard, newest first, to insert again, to save, to delete.

Does not know how a layer gets into an image. Imported only when there is a screen.
"""

from __future__ import annotations

import time

from acetate.plugins.bridge.candidates import candidates_of
from acetate.plugins.bridge.history import JobHistory
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.words import ago, explained, sentence, short_prompt
from acetate.protocol import Client, Connected, Discarded, Event, HistoryEntry, HistoryPage, Image
from gi.repository import GdkPixbuf, Gimp, GimpUi, GLib, Gtk

from . import canvas
from .fields import SPACING
from .host import StoppedError
from .preview import fitted, scaled
from .procedure_call import ProcedureCall, from_history, layers_of
from .questions import ask_for_path
from .window import JobWindow

THUMBNAIL_SIDE = 128
COLUMNS, ROWS = 4, 3
PAGE = 24
CHECK_SIZE, DARK_CHECK, LIGHT_CHECK = 8, 0x666666, 0x999999
"""GIMP's default checkerboard."""
PICTURE, JOB, CAPTION, TOOLTIP = range(4)
INSERT, DELETE, SAVE = 1, 2, 3


def insert(call: ProcedureCall, client: Client) -> list[Gimp.Layer]:
    """Open the window; return all layers that were inserted until it is closed. Raises `StoppedError` when there are none."""
    GimpUi.init(call.command.name)
    layers = HistoryWindow(call, client).run()
    if not layers:
        raise StoppedError
    return layers


class HistoryWindow(JobWindow):
    """The window of one call, from opening to closing; pages are fetched as they are wanted."""

    def __init__(self, call: ProcedureCall, client: Client) -> None:
        super().__init__(call, client)
        self._history = JobHistory()
        self._result: PendingResult | None = None
        self._saving: PendingResult | None = None
        self._layers: list[Gimp.Layer] = []
        self._dialog = GimpUi.Dialog(title="Acetate History", role="acetate-history")
        self._dialog.add_button("_Close", Gtk.ResponseType.CLOSE)
        self._delete_button = self._dialog.add_button("_Delete", DELETE)
        self._save_button = self._dialog.add_button("_Save As...", SAVE)
        self._insert_button = self._dialog.add_button("_Insert", INSERT)
        self._dialog.set_default_response(INSERT)
        self._build()

    def run(self) -> list[Gimp.Layer]:
        asked = {INSERT: self._insert, DELETE: self._delete, SAVE: self._save}
        self._ask(None)
        try:
            with self._ticking():
                while self._error is None and (response := self._dialog.run()) in asked:
                    asked[response]()
                # Closing the window does not take back what was to be saved.
                while self._error is None and self._saving is not None:
                    Gtk.main_iteration()
        finally:
            self._dialog.destroy()
        return self._layers

    # --- asked by the person -----------------------------------------------------------------------------------------

    def _insert(self) -> None:
        job = self._chosen()
        if job is None or self._result is not None:
            return
        image = self._call.image if self._call.image is not None and self._call.image.is_valid() else None
        try:
            selected = canvas.active_layer(image, ()) if image is not None else None
            self._result = from_history(job, self._history.entries[job].task, image, selected, self._jobs)
            self._status.set_text("Fetching the layers")
        except RefusedError as refusal:
            self._status.set_text(str(refusal))
        self._adapt()

    def _delete(self) -> None:
        job = self._chosen()
        if job is not None:
            self._client.discard(job)

    def _save(self) -> None:
        job = self._chosen()
        if job is None or self._saving is not None:
            return
        path = ask_for_path(self._dialog, _caption(self._history.entries[job]), canvas.folder_of(self._call.image))
        if path is not None:
            self._saving = self._jobs.save(job, path)
            self._status.set_text(f"Fetching {path.name}")
        self._adapt()

    def _ask(self, before: str | None) -> None:
        self._client.history(before, PAGE)

    def _chosen(self) -> str | None:
        paths = self._icons.get_selected_items()
        return str(self._model[paths[0]][JOB]) if paths else None

    # --- told by the server ------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        self._dialog.response(Gtk.ResponseType.CLOSE)

    def _look(self) -> None:
        if self._saving is not None and self._saving.over:
            self._saved(self._saving)
        if self._result is not None and self._result.over:
            self._inserted(self._result)

    def _take(self, event: Event) -> None:
        if self._result is not None:
            pass
        elif isinstance(event, HistoryPage):
            self._show(event)
        elif isinstance(event, Discarded):
            self._history.take(event)
            self._forget(event.job)
        elif not self._history.entries:
            failure = self._connection.failure
            self._status.set_text(explained(failure) if failure is not None else self._connection.text)
        if isinstance(event, Connected) and not self._history.entries:
            self._status.set_text("Fetching the history")

    def _inserted(self, result: PendingResult) -> None:
        self._result = None
        try:
            layers = layers_of(result)
            self._layers += layers
            self._status.set_text("Inserted " + canvas.inserted_name(layers))
        except (RefusedError, StoppedError) as refusal:
            self._status.set_text(str(refusal))
        self._adapt()

    def _saved(self, result: PendingResult) -> None:
        self._saving = None
        name = result.save_as.name if result.save_as is not None else ""
        if result.made is not None:
            text = " ".join(["Saved " + name, *map(sentence, result.notes)])
        elif result.error is not None:
            text = str(result.error)
        else:
            text = explained(result.failure) if result.failure is not None else f"The server did not send {name}. Try again."
        self._status.set_text(text)
        self._adapt()

    def _show(self, page: HistoryPage) -> None:
        shown = set(self._history.entries)
        self._history.take(page)
        for entry in page.entries:
            if entry.job not in shown:
                picture = page.thumbnails.get(candidates_of(entry)[0].thumbnail) if entry.layers else None
                self._model.append([_thumbnail(picture), entry.job, _caption(entry), _tooltip(entry)])
        if self._history.entries and not self._icons.get_selected_items():
            self._icons.select_path(Gtk.TreePath.new_first())
            self._icons.set_cursor(Gtk.TreePath.new_first(), None, False)
            self._icons.grab_focus()
        self._more_button.set_visible(page.more)
        self._status.set_text("" if self._history.entries else "Nothing here yet: results from any editor will appear here.")
        self._adapt()

    def _forget(self, job: str) -> None:
        for row in list(self._model):
            if row[JOB] == job:
                self._model.remove(row.iter)
        self._adapt()

    # --- what is seen ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._model = Gtk.ListStore.new([GdkPixbuf.Pixbuf, str, str, str])
        shown = {"pixbuf_column": PICTURE, "text_column": CAPTION, "tooltip_column": TOOLTIP}
        self._icons = Gtk.IconView(model=self._model, item_width=THUMBNAIL_SIDE + SPACING, columns=COLUMNS, **shown)
        self._icons.connect("item-activated", lambda *_: self._dialog.response(INSERT))
        self._icons.connect("selection-changed", lambda *_: self._adapt())
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN, hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.set_min_content_height(ROWS * (THUMBNAIL_SIDE + 40))
        scrolled.set_min_content_width(COLUMNS * (THUMBNAIL_SIDE + 40))
        scrolled.add(self._icons)
        self._more_button = Gtk.Button(label="_Older", use_underline=True)
        self._more_button.connect("clicked", lambda *_: self._ask(self._history.oldest))
        self._status = Gtk.Label(label=self._connection.text, xalign=0.0, wrap=True, max_width_chars=60)
        row = Gtk.Box(spacing=SPACING)
        row.pack_start(self._status, True, True, 0)
        row.pack_start(self._more_button, False, False, 0)
        content = self._dialog.get_content_area()
        content.set_border_width(2 * SPACING)
        content.set_spacing(SPACING)
        content.pack_start(scrolled, True, True, 0)
        content.pack_start(row, False, False, 0)
        content.show_all()
        self._more_button.hide()
        self._adapt()

    def _adapt(self) -> None:
        chosen = self._chosen() is not None
        self._insert_button.set_sensitive(chosen and self._result is None)
        self._delete_button.set_sensitive(chosen and self._result is None)
        self._save_button.set_sensitive(chosen and self._saving is None)


def _caption(entry: HistoryEntry) -> str:
    return short_prompt(str(entry.parameters.get("prompt", "")), 24) or entry.task.capitalize()


def _tooltip(entry: HistoryEntry) -> str:
    """Markup, as tooltip columns want it."""
    lines = [str(entry.parameters.get("prompt", "")) or entry.task.capitalize(), ago(time.time() - entry.finished)]
    if entry.layers:
        lines[1] += f", seed {entry.layers[0].seed}"
    return str(GLib.markup_escape_text("\n".join(lines)))


def _thumbnail(image: Image | None) -> GdkPixbuf.Pixbuf | None:
    if image is None:
        return None
    width, height = fitted(image.width, image.height, THUMBNAIL_SIDE)
    picture = scaled(image, width, height)
    return picture.composite_color_simple(width, height, GdkPixbuf.InterpType.NEAREST, 255, CHECK_SIZE, LIGHT_CHECK, DARK_CHECK)
