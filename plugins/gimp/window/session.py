"""What the pages of the window share: the client, the jobs, the image that is worked on, and a place to say things."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from acetate.plugins.bridge.forms.offers import Offers
from acetate.plugins.bridge.job import EditorJobs
from acetate.plugins.bridge.job_status import JobStatus
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.status.job_queue import JobQueue
from acetate.protocol import Client, Engine, Event
from gi.repository import Gimp, Gtk

from .discarding import Discarding
from .target import Target


@dataclass
class Session:
    """One window, from opening to closing."""

    client: Client
    jobs: EditorJobs
    queue: JobQueue
    target: Target
    say: Callable[..., None]
    """Shows a text above the buttons, with the name of an icon and an `Offer`; an empty one takes it away."""
    discarding: Discarding
    """What throws pictures away."""
    connection: JobStatus = field(default_factory=JobStatus)
    engine: Engine | None = None
    """What the server says about its engine; `None` before it has said anything."""
    offers: Offers = field(default_factory=Offers)
    """What can be chosen there."""
    made: list[Gimp.Layer] = field(default_factory=list)
    """All layers that were put in since the window was opened."""
    job_ids: set[str] = field(default_factory=set)
    """The generations that were started in this window."""


class Page(Protocol):
    """One page of the window."""

    @property
    def label(self) -> str:
        """What its tab says."""

    @property
    def title(self) -> str:
        """What the window is called while the page is shown."""

    @property
    def help_id(self) -> str:
        """The part of the manual that is about it."""

    @property
    def widget(self) -> Gtk.Widget:
        """What is packed."""

    @property
    def buttons(self) -> Sequence[Gtk.Widget]:
        """What stands left of Close while the page is shown."""

    @property
    def main_button(self) -> Gtk.Button:
        """Does what `submit` does."""

    @property
    def waiting(self) -> Sequence[PendingResult]:
        """The results that are on their way; closing the window stops the generations and waits for the rest."""

    def show(self) -> None:
        """The page has come to the front."""

    def submit(self) -> None:
        """Ctrl+Return, or the window's main button."""

    def take(self, event: Event) -> None:
        """An event of the client, which the jobs have had."""

    def look(self, *, elsewhere: bool) -> None:
        """Show how far the jobs are, and act on those that are over; `elsewhere` when something about the target has changed."""

    def close(self) -> None:
        """The window goes: keep what is worth keeping."""
