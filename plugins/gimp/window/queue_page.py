"""The page with everything that runs and waits at the server: one's own jobs and those of other programs.

Does not know what a job makes.
"""

from __future__ import annotations

from collections.abc import Sequence

from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.status.job_queue import QueuedJob
from acetate.plugins.bridge.translations import _
from acetate.protocol import Event
from gi.repository import Gtk, Pango

from ..widgets.gallery import tool_button
from ..widgets.layout import SPACING
from .session import Session

MINIMUM = 3
"""Rows that are seen without scrolling, at least."""
ROW_HEIGHT = 56
REFRESH = 50
"""Ticks of the window between two questions to the server while the page is seen."""


class QueuePage:
    """See `session.Page`."""

    def __init__(self, session: Session) -> None:
        self.label, self.title, self.help_id = _("Queue"), _("Acetate Queue"), "acetate-queue"
        self._session = session
        self._shown: tuple[QueuedJob, ...] | None = None
        self._lines: list[_Line] = []
        self._ticks = 0
        self.buttons: Sequence[Gtk.Widget] = ()
        self.main_button = Gtk.Button(label=_("Stop _All"), use_underline=True)
        self.main_button.set_tooltip_text(_("Stop everything that GIMP has asked for; jobs of other programs go on"))
        self._list = Gtk.ListBox(selection_mode=Gtk.SelectionMode.NONE)
        self._list.set_placeholder(_placeholder())
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN, hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.set_min_content_height(MINIMUM * ROW_HEIGHT)
        scrolled.add(self._list)
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        self.widget.pack_start(scrolled, True, True, 0)

    @property
    def waiting(self) -> Sequence[PendingResult]:
        return ()

    def show(self) -> None:
        self._session.queue.refresh()

    def close(self) -> None:
        """Nothing is typed here."""

    def submit(self) -> None:
        """Stop all of one's own jobs."""
        self._session.queue.cancel_all()

    def take(self, event: Event) -> None:
        """The queue has had it already."""

    def look(self, *, elsewhere: bool) -> None:
        if not self.widget.get_mapped():
            return
        self._ticks += 1
        if self._ticks % REFRESH == 0:
            self._session.queue.refresh()
        rows = self._session.queue.rows
        if rows != self._shown:
            self._fill(rows)
        self.main_button.set_sensitive(any(row.origin != "other" for row in rows))

    def _fill(self, rows: tuple[QueuedJob, ...]) -> None:
        same = self._shown is not None and [row.job for row in rows] == [row.job for row in self._shown]
        self._shown = rows
        if not same:
            for child in self._list.get_children():
                self._list.remove(child)
            self._lines = [_Line(row, self._session) for row in rows]
            for line in self._lines:
                self._list.add(line.widget)
            self._list.show_all()
        for line, row in zip(self._lines, rows, strict=True):
            line.show(row)


class _Line:
    """One job: what it makes, how far it is, and what can be done about it."""

    def __init__(self, row: QueuedJob, session: Session) -> None:
        queue, job = session.queue, row.job
        self._title = Gtk.Label(xalign=0.0, ellipsize=Pango.EllipsizeMode.END)
        self._text = Gtk.Label(xalign=0.0, ellipsize=Pango.EllipsizeMode.END)
        self._text.get_style_context().add_class("dim-label")
        self._bar = Gtk.ProgressBar(valign=Gtk.Align.CENTER)
        self._first = tool_button("go-top-symbolic", _("Before all others that wait"), lambda: queue.advance(job))
        self._stop = tool_button("process-stop-symbolic", _("Stop"), lambda: queue.cancel(job))
        texts = Gtk.Grid(row_spacing=2)  # GIMP's theme gives a vertical box the colour of dialogs, a patch in a list
        for place, widget in enumerate((self._title, self._text, self._bar)):
            widget.set_hexpand(True)
            texts.attach(widget, 0, place, 1, 1)
        box = Gtk.Box(spacing=SPACING, margin=SPACING)
        box.pack_start(texts, True, True, 0)
        box.pack_start(self._first, False, False, 0)
        box.pack_start(self._stop, False, False, 0)
        self.widget = Gtk.ListBoxRow(activatable=False)
        self.widget.add(box)

    def show(self, row: QueuedJob) -> None:
        self._title.set_text(row.title)
        self._text.set_text(" · ".join(part for part in (row.text or _state(row), row.whose) if part))
        if row.fraction is not None:
            self._bar.set_fraction(row.fraction)
        elif row.running:
            self._bar.pulse()
        else:
            self._bar.set_fraction(0.0)
        self._first.set_sensitive(not row.running and not row.first and row.origin != "other")
        self._stop.set_sensitive(not row.stopping)


def _state(row: QueuedJob) -> str:
    return _("Running") if row.running else _("Waiting")


def _placeholder() -> Gtk.Widget:
    label = Gtk.Label(label=_("Nothing is being drawn and nothing waits."), margin=4 * SPACING)
    label.get_style_context().add_class("dim-label")
    label.show()
    return label
