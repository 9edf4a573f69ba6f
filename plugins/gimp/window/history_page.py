"""The page with finished results: thumbnails on a checkerboard, newest first, to insert, to use again, to save, to delete.

Does not know how a layer gets into an image.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from acetate.plugins.bridge.candidates import Candidate, without
from acetate.plugins.bridge.form import Form, from_parameters
from acetate.plugins.bridge.history import JobHistory
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.translations import _, said
from acetate.plugins.bridge.words import ago, explained, sentence
from acetate.protocol import Box, Connected, Event, Finished
from acetate.protocol import HistoryPage as Listed
from gi.repository import Gio, Gtk

from .. import canvas
from ..host import StoppedError
from ..procedure_call import from_history, layers_of
from ..widgets.gallery import Gallery, described, tool_button
from ..widgets.layout import SPACING
from ..widgets.preview import icon
from .questions import ask_for_path
from .session import Session

THUMBNAIL_SIDE = 96
ROWS = 3
PAGE = 24
CAPTION_CHARACTERS = 14


class FormPage(Protocol):
    """The page that can take settings up again."""

    def use(self, task: str, form: Callable[[Form], Form]) -> None:
        """Show the form of this task, filled in by `form` from the present one."""


class HistoryPage:
    """See `session.Page`; more results are fetched as they are wanted."""

    def __init__(self, session: Session, forms: FormPage, show_forms: Callable[[], None], window: Gtk.Window) -> None:
        self.label, self.title, self.help_id = _("History"), _("Acetate History"), "acetate-history"
        self._session, self._forms, self._window, self._show_forms = session, forms, window, show_forms
        self._history = JobHistory()
        self._asked = False
        self._result: PendingResult | None = None
        self._saving: PendingResult | None = None
        self._delete_button = self._button(_("_Delete"), self._delete)
        self._save_button = self._button(_("_Save As..."), self._save)
        self._use_button = self._button(_("_Use These Settings"), self._use)
        self._star_button = tool_button("starred-symbolic", _("Mark the chosen picture, or take the mark away"), self._star)
        self.buttons = (self._delete_button, self._save_button, self._use_button, self._star_button)
        self.main_button = Gtk.Button(label=_("_Insert"), use_underline=True)
        self.widget = self._built()
        session.discarding.watch(self._show_pictures)

    @property
    def waiting(self) -> Sequence[PendingResult]:
        return tuple(result for result in (self._result, self._saving) if result is not None)

    def show(self) -> None:
        if not self._asked:
            self._asked = True
            self._ask(None)
        self._gallery.take_focus()

    def close(self) -> None:
        """Nothing is typed here."""

    # --- asked by the person -----------------------------------------------------------------------------------------

    def submit(self) -> None:
        """Insert the chosen picture above the layer that is active now."""
        chosen = self._chosen()
        if chosen is None or self._result is not None:
            return
        target = self._session.target
        target.look()
        left_out = without(self._history.entries[chosen.job].layers, [chosen])
        try:
            self._result = from_history(
                chosen.job, chosen.task, target.image, target.anchor, self._session.jobs, (chosen.number,), left_out
            )
            self._session.job_ids.add(chosen.job)
            self._status.set_text(_("Fetching the layers"))
        except RefusedError as refusal:
            self._status.set_text(str(refusal))
        self._adapt()

    def _delete(self) -> None:
        chosen = self._chosen()
        if chosen is not None and self._result is None:
            self._session.discarding.throw(chosen)

    def _star(self) -> None:
        if (chosen := self._chosen()) is not None:
            self._session.client.star(chosen.job, chosen.number, not chosen.starred)

    def _save(self) -> None:
        chosen = self._chosen()
        if chosen is None or self._saving is not None:
            return
        path = ask_for_path(self._window, chosen.title, canvas.folder_of(self._session.target.image))
        if path is not None:
            self._saving = self._session.jobs.save(chosen.job, path)
            self._status.set_text(_("Fetching {name}").format(name=path.name))
        self._adapt()

    def _use(self) -> None:
        """Show what the chosen result was made with, its seed too, ready to be changed."""
        chosen = self._chosen()
        if chosen is None:
            return
        entry = self._history.entries[chosen.job]

        def filled(form: Form) -> Form:
            made_with = self._session.offers.chosen(entry.parameters)
            return from_parameters({**made_with, "task": entry.task, "seed": chosen.seed, "count": 1}, form)

        self._forms.use(entry.task, filled)
        self._show_forms()

    def _ask(self, before: str | None) -> None:
        self._session.client.history(before, PAGE)

    def _chosen(self) -> Candidate | None:
        key = self._gallery.chosen
        return next((one for one in self._pictures() if one.key == key), None)

    def _pictures(self) -> list[Candidate]:
        """Every picture that was not thrown away, newest job first."""
        return [one for one in self._history.candidates() if not self._session.discarding.hides(one)]

    # --- told by the server ------------------------------------------------------------------------------------------

    def look(self, *, elsewhere: bool) -> None:
        if self._saving is not None and self._saving.over:
            self._saved(self._saving)
        if self._result is not None and self._result.over:
            self._inserted(self._result)

    def take(self, event: Event) -> None:
        if isinstance(event, Connected) and self._asked:  # perhaps another server
            self._history.renew()
        if isinstance(event, (Connected, Finished)) and self._asked:  # something new, perhaps from another program
            self._ask(None)
        if self._history.take(event):
            self._show(event)
        elif not self._history.entries and self._result is None:
            connection = self._session.connection
            self._status.set_text(explained(connection.failure) if connection.failure is not None else connection.text)
        if isinstance(event, Connected) and not self._history.entries:
            self._status.set_text(_("Fetching the history"))

    def _inserted(self, result: PendingResult) -> None:
        self._result = None
        try:
            layers = layers_of(result)
            self._session.made += layers
            if (image := layers[0].get_image()) is not None:  # else it was closed again
                self._session.target.take_up(image)
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

    def _show(self, event: Event) -> None:
        self._show_pictures()
        if isinstance(event, Listed):
            self._more_button.set_visible(event.more)
        empty = _("Nothing here yet: results from any editor will appear here.")
        if self._result is None and self._saving is None:
            self._status.set_text("" if self._history.entries else empty)
        self._adapt()

    def _show_pictures(self) -> None:
        pictures = self._pictures()
        self._gallery.show(pictures, self._picture, self._about)
        if pictures and self._gallery.chosen is None:
            self._gallery.choose(pictures[0].key)
            self._gallery.take_focus()
        self._adapt()

    # --- what is seen ------------------------------------------------------------------------------------------------

    def _built(self) -> Gtk.Widget:
        self._gallery = Gallery(THUMBNAIL_SIDE, self._adapt, self.submit, self._delete, captions=CAPTION_CHARACTERS)
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN, hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.set_min_content_height(ROWS * THUMBNAIL_SIDE)
        scrolled.add(self._gallery.widget)
        self._more_button = Gtk.Button(label=_("_Older"), use_underline=True, no_show_all=True)
        self._more_button.connect("clicked", lambda *_: self._ask(self._history.oldest))
        self._status = Gtk.Label(label=self._session.connection.text, xalign=0.0, wrap=True, max_width_chars=60)
        row = Gtk.Box(spacing=SPACING)
        row.pack_start(self._status, True, True, 0)
        row.pack_start(self._more_button, False, False, 0)
        whole = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        whole.pack_start(scrolled, True, True, 0)
        whole.pack_start(row, False, False, 0)
        self._adapt()
        return whole

    def _button(self, label: str, act: Callable[[], None]) -> Gtk.Button:
        button = Gtk.Button(label=label, use_underline=True)
        button.connect("clicked", lambda *_: act())
        return button

    def _picture(self, candidate: Candidate) -> Gio.Icon | None:
        picture = self._history.thumbnails.get(candidate.thumbnail)
        if picture is None:
            return None
        frame = Box(0, 0, picture.width, picture.height)
        return icon(frame, picture, frame, THUMBNAIL_SIDE * self._window.get_scale_factor())

    def _about(self, candidate: Candidate) -> str:
        return "\n".join([described(candidate), ago(time.time() - self._history.entries[candidate.job].finished)])

    def _adapt(self) -> None:
        chosen = self._chosen() is not None
        self.main_button.set_sensitive(chosen and self._result is None)
        self._delete_button.set_sensitive(chosen and self._result is None)
        self._star_button.set_sensitive(chosen)
        self._save_button.set_sensitive(chosen and self._saving is None)
        self._use_button.set_sensitive(chosen)
