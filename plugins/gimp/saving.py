"""A finished result as a file: which one the person wants, and its way from the server to the disk.

Does not know the window that it is asked from. Imported only when there is a screen.
"""

from __future__ import annotations

import time
from pathlib import Path

from acetate.plugins.bridge import files
from acetate.plugins.bridge.watch import Watch
from acetate.plugins.bridge.words import explained, sentence
from acetate.protocol import Client, Event, FileReady
from gi.repository import GLib, Gtk

from .run import LOST_SECONDS

KINDS = {".psd": "Photoshop document", ".ora": "OpenRaster", ".png": "PNG image"}
"""The first is offered first."""


class Saving:
    """One result on its way into one file. Feed it every event and `tick` it; `text` says how it stands."""

    def __init__(self, client: Client, job: str, path: Path) -> None:
        self._path, self._watch = path, Watch()
        self._watch.job = client.export([job], files.FORMATS[path.suffix.lower()])
        self.text = f"Fetching {path.name}"
        self.over = False

    def take(self, event: Event) -> None:
        """Writes the file when it comes."""
        if isinstance(event, FileReady) and event.job == self._watch.job and not self.over:
            self._write(event)
        self._watch.take(event, time.monotonic())

    def tick(self) -> None:
        """Notice the end without a file."""
        self._watch.give_up_after(LOST_SECONDS, time.monotonic())
        if self._watch.over and not self.over:
            failure = self._watch.failure
            self._end(explained(failure) if failure is not None else f"The server sent no {self._path.name}. Try again.")

    def _write(self, ready: FileReady) -> None:
        try:
            files.write(self._path, ready.data)
        except OSError as error:
            self._end(f"{self._path} cannot be written: {error.strerror}. Choose another folder.")
        else:
            self._end(" ".join(["Saved " + self._path.name, *map(sentence, ready.file.notes)]))

    def _end(self, text: str) -> None:
        self.text, self.over = text, True


def ask_for_path(parent: Gtk.Window, title: str, folder: Path | None) -> Path | None:
    """Where to save and, by the suffix of the name, as what; `None` when the person does not want to. `title` is a first name."""
    chooser = Gtk.FileChooserDialog(title="Save Result", transient_for=parent, action=Gtk.FileChooserAction.SAVE)
    chooser.add_button("_Cancel", Gtk.ResponseType.CANCEL)
    chooser.add_button("_Save", Gtk.ResponseType.ACCEPT)
    chooser.set_default_response(Gtk.ResponseType.ACCEPT)
    chooser.set_do_overwrite_confirmation(True)
    for suffix, kind in KINDS.items():
        pattern = Gtk.FileFilter()
        pattern.set_name(f"{kind} (*{suffix})")
        pattern.add_pattern(f"*{suffix}")
        chooser.add_filter(pattern)
    chooser.connect("notify::filter", lambda *_: _adapt_suffix(chooser))
    pictures = GLib.get_user_special_dir(GLib.UserDirectory.DIRECTORY_PICTURES)
    chooser.set_current_folder(str(folder or pictures or Path.home()))
    chooser.set_current_name(title.replace("/", "-") + next(iter(KINDS)))
    path = None
    while path is None and chooser.run() == Gtk.ResponseType.ACCEPT:
        path = _with_suffix(chooser)
    chooser.destroy()
    return path


def _with_suffix(chooser: Gtk.FileChooserDialog) -> Path | None:
    """The chosen path. A name without a suffix gets the kind's; when there is such a file, the chooser has to ask again."""
    path = Path(chooser.get_filename())
    if path.suffix.lower() in KINDS:
        return path
    path = path.with_name(path.name + _suffix(chooser))
    if not path.exists():
        return path
    chooser.set_current_name(path.name)
    return None


def _adapt_suffix(chooser: Gtk.FileChooserDialog) -> None:
    """Another kind was chosen: the name follows."""
    name = Path(chooser.get_current_name() or "")
    if name.suffix.lower() in KINDS:
        chooser.set_current_name(name.stem + _suffix(chooser))


def _suffix(chooser: Gtk.FileChooserDialog) -> str:
    """Of the kind that is chosen in the list below the names."""
    chosen: str = chooser.get_filter().get_name()
    return next(suffix for suffix in KINDS if chosen.endswith(f"(*{suffix})"))
