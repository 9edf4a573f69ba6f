"""The page with finished results: thumbnails on a checkerboard, newest first, to insert, to use again, to save, to delete.

Does not know how a layer gets into an image.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from acetate.plugins.bridge.form import Form, from_parameters
from acetate.plugins.bridge.history import JobHistory
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.translations import _, said
from acetate.plugins.bridge.words import ago, explained, sentence, short_prompt
from acetate.protocol import Box, Connected, Discarded, Event, HistoryEntry, HistoryPage as Listed, Image
from gi.repository import Gdk, Gtk

from .. import canvas
from ..host import StoppedError
from ..procedure_call import from_history, layers_of
from .layout import SPACING
from .preview import icon
from .questions import ask_for_path
from .session import Session

THUMBNAIL_SIDE = 96
ROWS = 3
PAGE = 24
CAPTION_CHARACTERS = 14


class FormPage(Protocol):
    """The page that can take settings up again."""

    def use(self, task: str, change: object) -> None:
        """Show the form of this task, changed by a function from form to form."""


class HistoryPage:
    """See `session.Page`; more results are fetched as they are wanted."""

    def __init__(self, session: Session, forms: FormPage, show_forms: object, window: Gtk.Window) -> None:
        self.label, self.title, self.help_id = _("History"), _("Acetate History"), "acetate-history"
        self._session, self._forms, self._window, self._show_forms = session, forms, window, show_forms
        self._history = JobHistory()
        self._asked = False
        self._result: PendingResult | None = None
        self._saving: PendingResult | None = None
        self._delete_button = self._button(_("_Delete"), self._delete)
        self._save_button = self._button(_("_Save As..."), self._save)
        self._use_button = self._button(_("_Use These Settings"), self._use)
        self.buttons = (self._delete_button, self._save_button, self._use_button)
        self.main_button = Gtk.Button(label=_("_Insert"), use_underline=True)
        self.widget = self._built()

    @property
    def waiting(self) -> Sequence[PendingResult]:
        return tuple(result for result in (self._result, self._saving) if result is not None)

    def show(self) -> None:
        if not self._asked:
            self._asked = True
            self._ask(None)
        self._focus()

    def close(self) -> None:
        """Nothing is typed here."""

    # --- asked by the person -----------------------------------------------------------------------------------------

    def submit(self) -> None:
        """Insert the chosen result above the layer that is active now."""
        job = self._chosen()
        if job is None or self._result is not None:
            return
        target = self._session.target
        target.look()
        try:
            task = self._history.entries[job].task
            self._result = from_history(job, task, target.image, target.anchor, self._session.jobs)
            self._status.set_text(_("Fetching the layers"))
        except RefusedError as refusal:
            self._status.set_text(str(refusal))
        self._adapt()

    def _delete(self) -> None:
        job = self._chosen()
        if job is not None:
            self._session.client.discard(job)

    def _save(self) -> None:
        job = self._chosen()
        if job is None or self._saving is not None:
            return
        path = ask_for_path(self._window, _caption(self._history.entries[job]), canvas.folder_of(self._session.target.image))
        if path is not None:
            self._saving = self._session.jobs.save(job, path)
            self._status.set_text(_("Fetching {name}").format(name=path.name))
        self._adapt()

    def _use(self) -> None:
        """Show what the chosen result was made with, its seed too, ready to be changed."""
        job = self._chosen()
        if job is None:
            return
        entry = self._history.entries[job]
        seed = entry.layers[0].seed if entry.layers else None

        def filled(form: Form) -> Form:
            return from_parameters({**entry.parameters, "task": entry.task, "seed": seed}, form)

        self._forms.use(entry.task, filled)
        self._show_forms()  # type: ignore[operator]

    def _ask(self, before: str | None) -> None:
        self._session.client.history(before, PAGE)

    def _chosen(self) -> str | None:
        selected = self._flow.get_selected_children()
        return str(selected[0].get_name()) if selected else None

    # --- told by the server ------------------------------------------------------------------------------------------

    def look(self, *, elsewhere: bool) -> None:
        if self._saving is not None and self._saving.over:
            self._saved(self._saving)
        if self._result is not None and self._result.over:
            self._inserted(self._result)

    def take(self, event: Event) -> None:
        if isinstance(event, Listed):
            self._take_page(event)
        elif isinstance(event, Discarded):
            self._history.take(event)
            self._forget(event.job)
        elif not self._history.entries and self._result is None:
            connection = self._session.connection
            self._status.set_text(explained(connection.failure) if connection.failure is not None else _(connection.text))
        if isinstance(event, Connected) and not self._history.entries:
            self._status.set_text(_("Fetching the history"))

    def _inserted(self, result: PendingResult) -> None:
        self._result = None
        try:
            layers = layers_of(result)
            self._session.made += layers
            self._session.target.inserted(layers[0].get_image())
            self._status.set_text(_("Inserted {name}").format(name=canvas.inserted_name(layers)))
        except (RefusedError, StoppedError) as refusal:
            self._status.set_text(str(refusal))
        self._adapt()

    def _saved(self, result: PendingResult) -> None:
        self._saving = None
        name = result.save_as.name if result.save_as is not None else ""
        if result.made is not None:
            text = " ".join([_("Saved {name}").format(name=name), *(sentence(said(note)) for note in result.notes)])
        elif result.error is not None:
            text = str(result.error)
        elif result.failure is not None:
            text = explained(result.failure)
        else:
            text = _("The server did not send {name}. Try again.").format(name=name)
        self._status.set_text(text)
        self._adapt()

    def _take_page(self, page: Listed) -> None:
        shown = set(self._history.entries)
        self._history.take(page)
        for entry in page.entries:
            if entry.job not in shown:
                self._flow.add(self._thumbnail(entry, page.thumbnails.get(entry.job)))
        self._flow.show_all()
        if self._history.entries and self._chosen() is None:
            self._flow.select_child(self._flow.get_child_at_index(0))
            self._focus()
        self._more_button.set_visible(page.more)
        empty = _("Nothing here yet: results from any editor will appear here.")
        self._status.set_text("" if self._history.entries else empty)
        self._adapt()

    def _forget(self, job: str) -> None:
        for child in self._flow.get_children():
            if child.get_name() == job:
                self._flow.remove(child)
        self._adapt()

    # --- what is seen ------------------------------------------------------------------------------------------------

    def _built(self) -> Gtk.Widget:
        self._flow = Gtk.FlowBox(
            homogeneous=True, valign=Gtk.Align.START, max_children_per_line=12, activate_on_single_click=False
        )
        self._flow.connect("child-activated", lambda *_: self.submit())
        self._flow.connect("selected-children-changed", lambda *_: self._adapt())
        self._flow.connect("key-press-event", self._on_key)
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN, hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.set_min_content_height(ROWS * THUMBNAIL_SIDE)
        scrolled.add(self._flow)
        self._more_button = Gtk.Button(label=_("_Older"), use_underline=True, no_show_all=True)
        self._more_button.connect("clicked", lambda *_: self._ask(self._history.oldest))
        self._status = Gtk.Label(label=_(self._session.connection.text), xalign=0.0, wrap=True, max_width_chars=60)
        row = Gtk.Box(spacing=SPACING)
        row.pack_start(self._status, True, True, 0)
        row.pack_start(self._more_button, False, False, 0)
        whole = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        whole.pack_start(scrolled, True, True, 0)
        whole.pack_start(row, False, False, 0)
        self._adapt()
        return whole

    def _button(self, label: str, act: object) -> Gtk.Button:
        button = Gtk.Button(label=label, use_underline=True)
        button.connect("clicked", lambda *_: act())  # type: ignore[operator]
        return button

    def _thumbnail(self, entry: HistoryEntry, picture: Image | None) -> Gtk.Widget:
        child = Gtk.FlowBoxChild(name=entry.job, tooltip_text=_tooltip(entry))
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2, margin=SPACING)
        shown = Gtk.Image(width_request=THUMBNAIL_SIDE, height_request=THUMBNAIL_SIDE)
        if picture is not None:
            frame = Box(0, 0, picture.width, picture.height)
            shown.set_from_gicon(
                icon(frame, picture, frame, THUMBNAIL_SIDE * self._window.get_scale_factor()), Gtk.IconSize.DIALOG
            )
            shown.set_pixel_size(THUMBNAIL_SIDE)
        box.pack_start(shown, False, False, 0)
        box.pack_start(Gtk.Label(label=short_prompt(_caption(entry), CAPTION_CHARACTERS)), False, False, 0)
        child.add(box)
        return child

    def _on_key(self, _flow: Gtk.FlowBox, event: Gdk.EventKey) -> bool:
        if event.keyval == Gdk.KEY_Delete:
            self._delete()
        return bool(event.keyval == Gdk.KEY_Delete)

    def _focus(self) -> None:
        selected = self._flow.get_selected_children()
        if selected and self._flow.get_mapped():
            selected[0].grab_focus()

    def _adapt(self) -> None:
        chosen = self._chosen() is not None
        self.main_button.set_sensitive(chosen and self._result is None)
        self._delete_button.set_sensitive(chosen and self._result is None)
        self._save_button.set_sensitive(chosen and self._saving is None)
        self._use_button.set_sensitive(chosen)


def _caption(entry: HistoryEntry) -> str:
    return short_prompt(str(entry.parameters.get("prompt", "")), 24) or entry.task.capitalize()


def _tooltip(entry: HistoryEntry) -> str:
    when = ago(time.time() - entry.finished)
    if entry.layers:
        when = _("{when}, seed {seed}").format(when=when, seed=entry.layers[0].seed)
    return "\n".join([str(entry.parameters.get("prompt", "")) or entry.task.capitalize(), when])
