"""The pictures of the present run below the large preview: look at each, put in those that please.

The first one is in the image already when the run is over; the others wait here and, afterwards, in the history.
"""

from __future__ import annotations

from collections.abc import Callable

from acetate.plugins.bridge.candidates import Candidate, CandidateStrip, without
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.translations import _
from acetate.protocol import Box, Event, Image, LayerReady
from gi.repository import Gio, Gtk

from ..procedure_call import from_history
from ..widgets.gallery import Gallery, described, tool_button
from ..widgets.layout import SPACING
from ..widgets.preview import PreviewPane, icon
from .session import Session

THUMBNAIL = 56


class CandidatesRow:
    """`.widget` is what to pack; it is seen only when a run has several pictures."""

    def __init__(self, session: Session, preview: PreviewPane, said: Callable[[str], None]) -> None:
        self._session, self._preview, self._said = session, preview, said
        self._strip = CandidateStrip()
        self._pictures: dict[int, tuple[Gio.Icon, Gio.Icon]] = {}
        """Each layer's thumbnail and its large picture, by the layer's index."""
        self._inserting: list[PendingResult] = []
        self._gallery = Gallery(THUMBNAIL, self._look_at, self.insert, self._discard)
        self._gallery.widget.set_max_children_per_line(4)
        self._gallery.widget.set_min_children_per_line(4)
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.set_min_content_height(THUMBNAIL + 3 * SPACING)
        scrolled.add(self._gallery.widget)
        tools = Gtk.Box(spacing=SPACING)
        insert = Gtk.Button(label=_("Insert"), tooltip_text=_("Put the chosen picture into the image, above the active layer"))
        insert.connect("clicked", lambda *_: self.insert())
        tools.pack_start(insert, True, True, 0)
        for icon_name, about, act in (
            ("starred-symbolic", _("Mark the chosen picture, or take the mark away"), self._star),
            ("edit-delete-symbolic", _("Throw the chosen picture away"), self._discard),
        ):
            tools.pack_start(tool_button(icon_name, about, act), False, False, 0)
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING, no_show_all=True)
        for part in (scrolled, tools):
            part.show_all()
            self.widget.pack_start(part, False, False, 0)
        session.discarding.watch(self._show)

    @property
    def waiting(self) -> list[PendingResult]:
        """What is on its way into an image."""
        return self._inserting

    @property
    def _chosen(self) -> Candidate | None:
        """The picture that is looked at, unless it is thrown away."""
        candidate = self._strip.candidate
        return None if candidate is None or self._session.discarding.hides(candidate) else candidate

    def begin(self, result: PendingResult) -> None:
        """Show the pictures of this run from now on."""
        form = result.form
        self._strip.begin(result.job, form.task if form else "", form.prompt if form else "")
        self._pictures.clear()
        self._show()

    def take(self, event: Event) -> None:
        if isinstance(event, LayerReady) and event.job == self._strip.job and event.data:
            self._pictures.setdefault(event.layer.index, self._drawn(event))
        if self._strip.take(event):
            self._show()

    def look(self, ended: Callable[[PendingResult], None]) -> None:
        """`ended` is called for each picture that has been put in, or could not be."""
        for result in [one for one in self._inserting if one.over]:
            self._inserting.remove(result)
            ended(result)

    def insert(self) -> None:
        """Put the chosen picture in, above the layer that is active now."""
        candidate, target = self._chosen, self._session.target
        if candidate is None or any(one.job == candidate.job for one in self._session.jobs.generations):
            return
        target.look()
        left_out = without(self._strip.layers, [candidate])
        try:
            self._inserting.append(
                from_history(
                    candidate.job, candidate.task, target.image, target.anchor, self._session.jobs, (candidate.number,), left_out
                )
            )
        except RefusedError as refusal:
            self._session.say(str(refusal))

    def show_chosen(self) -> Candidate | None:
        """Show the chosen picture large; returns it, or `None` where it is not here."""
        candidate = self._strip.candidate
        if candidate is None or candidate.shown.index not in self._pictures:
            return None
        self._preview.show_icon(self._pictures[candidate.shown.index][1])
        return candidate

    def _star(self) -> None:
        if (one := self._chosen) is not None:
            self._session.client.star(one.job, one.number, not one.starred)

    def _discard(self) -> None:
        if (one := self._chosen) is not None:
            self._session.discarding.throw(one)

    def _look_at(self) -> None:
        if (key := self._gallery.chosen) is not None:
            self._strip.choose(key[1])
            if (candidate := self.show_chosen()) is not None:
                self._said(described(candidate).replace("\n", " · "))

    def _show(self) -> None:
        candidates = [one for one in self._strip.candidates if not self._session.discarding.hides(one)]
        self._gallery.show(candidates, self._thumbnail, described)
        self.widget.set_visible(len(self._strip.candidates) > 1)
        if self._strip.candidate is not None and self._gallery.chosen is None:
            self._gallery.choose(self._strip.candidate.key)

    def _thumbnail(self, candidate: Candidate) -> Gio.Icon | None:
        return self._pictures.get(candidate.shown.index, (None, None))[0]

    def _drawn(self, event: LayerReady) -> tuple[Gio.Icon, Gio.Icon]:
        layer, scale = event.layer, self.widget.get_scale_factor()
        image = Image(layer.width, layer.height, layer.format, event.data)
        place = Box(layer.x, layer.y, layer.width, layer.height)
        small, large = (icon(layer.box, image, place, side * scale) for side in (THUMBNAIL, self._preview.side))
        return small, large
