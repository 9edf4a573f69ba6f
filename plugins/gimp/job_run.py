"""A call from its arguments to its layers: with a dialog, with the last values, or from a script.

Does not know GIMP's return values, nor how one job is done.
"""

from __future__ import annotations

import contextlib
import queue
import time
from pathlib import Path

from acetate.plugins.bridge.form import fresh_seed
from acetate.plugins.bridge.forms.server_address import chosen_server
from acetate.plugins.bridge.host import JobPlan, RefusedError
from acetate.plugins.bridge.job import EditorJobs
from acetate.plugins.bridge.job_status import HOPELESS
from acetate.plugins.bridge.launch import server_command
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.translations import _, said
from acetate.plugins.bridge.words import duration
from acetate.protocol import Client, Disconnected, HistoryEntry, HistoryPage
from gi.repository import Gimp

from . import jobs, pixels
from .host import GimpHost, StoppedError
from .opened_file import OpenedFile
from .procedure_call import ProcedureCall, from_history, layers_of, told

TICK = 0.1
"""How often to look at the clock while no event comes, in seconds."""


def carry_out(call: ProcedureCall) -> list[Gimp.Layer]:
    """Run the call; returns the new layers. Raises `RefusedError` with what to say, `StoppedError` if the person stops it."""
    call.check()
    if call.interactive and not has_screen():
        raise RefusedError(_("There is no screen for a dialog. Call the procedure with run-mode NONINTERACTIVE."))
    if call.interactive and call.command.has_window:
        from .window.single_window import shown_by_another

        if shown_by_another(call.command.name, call.image):
            raise StoppedError
        from .window.main_window import MainWindow

        with contextlib.closing(connected()) as client:
            return MainWindow(call, client).run()
    _settle_palette(call)
    with contextlib.closing(connected()) as client:
        return _with_dialog(call, client) if call.interactive else _without_dialog(call, client)


def connected() -> Client:
    """A client of the server, which is started if none runs; who asked for it closes it."""
    name = f"gimp {Gimp.version()}"
    client = Client(name, address=chosen_server(), launch=server_command(), formats=tuple(pixels.BABL))
    client.connect()
    return client


def has_screen() -> bool:
    """Whether a window can be opened; GTK itself would end the process without a word where it cannot."""
    from gi.repository import Gdk, Gtk

    Gtk.init_check([])
    return Gdk.Display.get_default() is not None


def _with_dialog(call: ProcedureCall, client: Client) -> list[Gimp.Layer]:
    from .window import questions  # it needs a screen

    if call.command.name == "acetate-insert-layers-from-file":
        questions.ask_for_file(call.procedure, call.config)
    else:
        call.config.set_property("seed", fresh_seed())
    return _followed(call, client, None)


def _without_dialog(call: ProcedureCall, client: Client) -> list[Gimp.Layer]:
    """Run with exactly the given values from a script; with the last values, use a new seed unless the dialog said not to."""
    repeats = call.command.name == "acetate-repeat-with-new-seed"
    if not call.from_script and (repeats or (call.command.task is not None and call.value("new-seed"))):
        call.config.set_property("seed", fresh_seed())
    return _followed(call, client, call.value("time-limit"))


def _followed(call: ProcedureCall, client: Client, limit: float | None) -> list[Gimp.Layer]:
    editor_jobs = EditorJobs(GimpHost(show=not call.from_script), lambda: client)
    result = _begun(call, client, editor_jobs)
    layers = follow(result, editor_jobs, client, limit)
    if result.status.notes and call.interactive:  # not the warnings: the person sees the layer, which keeps them
        Gimp.message("\n".join(map(said, result.status.notes)))
    return layers


def _begun(call: ProcedureCall, client: Client, editor_jobs: EditorJobs) -> PendingResult:
    image, layer = call.image, call.layer
    if call.command.task is not None:
        return call.generate(editor_jobs, image, layer, layer)
    if call.command.name == "acetate-insert-layers-from-file":
        chosen = call.value("file")
        path = chosen.get_path() if chosen is not None else None
        if not path:
            raise RefusedError(_("No file was chosen. Choose a PSD, OpenRaster or PNG file."))
        file = OpenedFile(Path(path), call.value("keep-masks"))
        plan = JobPlan(format=pixels.wire_format(image), anchor=layer, title=file.path.name, source=file)
        return editor_jobs.insert_file(Path(path), image, lambda: plan)
    if call.command.name == "acetate-history":
        entry = history_entry(client, call.value("job") or "", call.value("time-limit"))
        return from_history(entry.job, entry.task, image, layer, editor_jobs)
    assert image is not None  # the command needs a layer
    form, plan = jobs.repetition(image, layer, call.value("seed"))
    return editor_jobs.generate(image, form, lambda: plan)


def follow(result: PendingResult, editor_jobs: EditorJobs, client: Client, limit: float | None = None) -> list[Gimp.Layer]:
    """Wait for the new layers. Raises `RefusedError`: past `limit` seconds, earlier for a connection that stays lost."""
    deadline = time.monotonic() + limit if limit is not None else None
    while not result.over:
        with contextlib.suppress(queue.Empty):
            editor_jobs.take(client.events.get(timeout=TICK))
        editor_jobs.tick()
        if deadline is not None and time.monotonic() > deadline and not result.over:
            editor_jobs.cancel(result)
            said = duration(limit or 0)
            text = _("There was no result within {time}, so the job was stopped. Set a larger time-limit, or fewer steps.")
            raise RefusedError(text.format(time=said))
    return layers_of(result)


def history_entry(client: Client, job: str, limit: float) -> HistoryEntry:
    """The finished job of that id in the server's history; the newest one for an empty id. Raises `RefusedError`."""
    before: str | None = None
    deadline = time.monotonic() + limit
    while (page := _page(client, before, deadline)).entries:
        for entry in page.entries:
            if job in ("", entry.job):
                return entry
        before = page.entries[-1].job
    if job:
        raise RefusedError(_("The history has no result {job}. The newest one is taken for an empty job.").format(job=job))
    raise RefusedError(_("The history is empty. Generate a layer first."))


def _page(client: Client, before: str | None, deadline: float) -> HistoryPage:
    client.history(before, thumbnails=False)
    while time.monotonic() < deadline:
        try:
            event = client.events.get(timeout=TICK)
        except queue.Empty:
            continue
        if isinstance(event, HistoryPage):
            return event
        if isinstance(event, Disconnected) and event.failure.code in HOPELESS:
            raise RefusedError(told(event.failure))
    raise RefusedError(_("The server did not answer in time. Restart it: acetate restart"))


def _settle_palette(call: ProcedureCall) -> None:
    """A palette cannot hold a generated layer, and converting the image loses the palette: ask before doing so."""
    if call.image is None or call.image.get_base_type() != Gimp.ImageBaseType.INDEXED:
        return
    if call.interactive:
        from .window.questions import may_convert

        if not may_convert(call.image):
            raise StoppedError
    elif not call.value("convert-indexed"):
        text = _(
            "{image} is an indexed image, whose palette cannot hold a generated layer. "
            "Convert it by Image > Mode > RGB, or set convert-indexed."
        )
        raise RefusedError(text.format(image=call.image.get_name()))
