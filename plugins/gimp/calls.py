"""One call of a procedure in its run mode: with a dialog, with the last values, or from a script.

Does not know GIMP's return values, nor how one job is done.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from acetate.plugins.bridge.form import fresh_seed
from acetate.plugins.bridge.launch import server_command
from acetate.protocol import Client
from gi.repository import Gimp

from . import canvas, orders, pixels
from .batch import follow, history_entry
from .commands import Command
from .orders import Order
from .refused import RefusedError, StoppedError
from .run import Run
from .values import form_of


@dataclass(frozen=True)
class Call:
    """What GIMP said."""

    procedure: Gimp.Procedure
    command: Command
    run_mode: Gimp.RunMode
    image: Gimp.Image | None
    drawables: tuple[Gimp.Drawable, ...]
    config: Gimp.ProcedureConfig

    @property
    def interactive(self) -> bool:
        return bool(self.run_mode == Gimp.RunMode.INTERACTIVE)

    @property
    def from_script(self) -> bool:
        return bool(self.run_mode == Gimp.RunMode.NONINTERACTIVE)

    @property
    def layer(self) -> Gimp.Layer | None:
        """The layer that the call is about."""
        return canvas.active_layer(self.image, self.drawables) if self.image is not None else None

    def value(self, name: str) -> Any:
        return self.config.get_property(name)


def carry_out(call: Call) -> list[Gimp.Layer]:
    """The new layers. Raises `RefusedError` with what is to be said, `StoppedError` when the person wants no more."""
    if call.command.needs_layer and call.image is None:
        raise RefusedError("No image is given. Open one, select a layer and try again.")
    _settle_palette(call)
    client = Client(f"gimp {Gimp.version()}", launch=server_command(), formats=tuple(pixels.BABL))
    with contextlib.closing(client):
        client.connect()
        return _with_dialog(call, client) if call.interactive else _without_dialog(call, client)


def begin(call: Call, client: Client, order: Order, image: Gimp.Image | None, above: Gimp.Layer | None) -> Run:
    return Run(client, order, image, above, show=not call.from_script)


def generation(call: Call, image: Gimp.Image | None, layer: Gimp.Layer | None) -> Order:
    """The order of a generating procedure, with the config's present values, on that image and layer."""
    task = call.command.task
    assert task is not None
    form = form_of(call.config, call.command.names, task.name)
    if call.from_script:
        form = orders.completed(form, canvas.attached(layer))
    hide = task.replaces and bool(call.value("hide-original"))
    return orders.generation(form, image, layer, hide_original=hide)


def _with_dialog(call: Call, client: Client) -> list[Gimp.Layer]:
    from . import dialog, history, questions  # they need a screen

    if call.command.task is not None:
        return dialog.generate(call, client)
    if call.command.name == "acetate-history":
        return history.insert(call, client)
    if call.command.name == "acetate-insert-layers-from-file":
        questions.ask_for_file(call.procedure, call.config)
    else:
        call.config.set_property("seed", fresh_seed())
    return _followed(call, client, None)


def _without_dialog(call: Call, client: Client) -> list[Gimp.Layer]:
    """From a script with exactly the given values; with the last values the seed is new, unless the dialog said no."""
    repeats = call.command.name == "acetate-repeat-with-new-seed"
    if not call.from_script and (repeats or (call.command.task is not None and call.value("new-seed"))):
        call.config.set_property("seed", fresh_seed())
    return _followed(call, client, call.value("time-limit"))


def _followed(call: Call, client: Client, limit: float | None) -> list[Gimp.Layer]:
    run = begin(call, client, _order(call, client), call.image, call.layer)
    layers = follow(run, client, limit)
    if run.watch.notes and call.interactive:  # not the warnings: the person sees the layer, which keeps them
        Gimp.message("\n".join(run.watch.notes))
    return layers


def _order(call: Call, client: Client) -> Order:
    if call.command.task is not None:
        return generation(call, call.image, call.layer)
    if call.command.name == "acetate-insert-layers-from-file":
        file = call.value("file")
        return orders.layers_of_file(file.get_path() if file is not None else None, call.image)
    if call.command.name == "acetate-history":
        entry = history_entry(client, call.value("job") or "", call.value("time-limit"))
        return orders.finished_job(entry.job, call.image, task=entry.task)
    assert call.image is not None  # the command needs a layer
    return orders.repetition(call.image, call.layer, call.value("seed"))


def _settle_palette(call: Call) -> None:
    """A palette cannot hold a generated layer, and converting the image loses the palette: only if that is wanted."""
    if call.image is None or call.image.get_base_type() != Gimp.ImageBaseType.INDEXED:
        return
    if call.interactive:
        from .questions import may_convert

        if not may_convert(call.image):
            raise StoppedError
    elif not call.value("convert-indexed"):
        raise RefusedError(
            f"{call.image.get_name()} is an indexed image, whose palette cannot hold a generated layer. "
            "Convert it by Image > Mode > RGB, or set convert-indexed."
        )
