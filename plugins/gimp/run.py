"""One run: ask, follow, and put what arrives into the image as one undo step.

Does not know whether anybody watches: a dialog or a batch loop feeds it events. Everything here runs on GIMP's main thread.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

from acetate.plugins.bridge.stack import Item, Sheet, sheets, stacked
from acetate.plugins.bridge.tasks import BY_NAME
from acetate.plugins.bridge.watch import Watch
from acetate.plugins.bridge.words import explained
from acetate.protocol import Box, Client, Event
from gi.repository import Gimp

from . import canvas, pixels
from .orders import Order
from .refused import RefusedError, StoppedError

LOST_SECONDS = 30.0
"""How long a connection may stay lost before the run is given up."""

STOP_SECONDS = 5.0
"""How long the server may take to confirm a stop before nobody waits for it any more."""


class Run:
    """From submitting to `finish`; `watch` says at any time how far it is."""

    def __init__(
        self, client: Client, order: Order, image: Gimp.Image | None, layer: Gimp.Layer | None, *, show: bool = False
    ) -> None:
        """The result goes above `layer`. With `show` an image that has to be made for it gets a window."""
        if image is not None:
            canvas.require_insertable(image)
        self.order = order
        self.watch = Watch()
        self._client, self._image, self._layer, self._show = client, image, layer, show
        self._stopped_at: float | None = None
        self._shown: tuple[str, float | None] | None = None
        self.watch.job = order.send(client)
        Gimp.progress_init("Acetate")

    @property
    def over(self) -> bool:
        unconfirmed = self._stopped_at is not None and time.monotonic() - self._stopped_at > STOP_SECONDS
        return self.watch.over or unconfirmed

    @property
    def remarks(self) -> str:
        """What the person should know about the result: what a file could not keep, what the engine warns of."""
        warnings = dict.fromkeys(warning for ready in self.watch.layers for warning in ready.layer.warnings)
        return "\n".join((*self.watch.notes, *warnings))

    def take(self, event: Event) -> None:
        self.watch.take(event, time.monotonic())

    def tick(self) -> None:
        """Show the state in GIMP's status bar. Cancel there kills this process; the dropped connection then ends the job."""
        self.watch.give_up_after(LOST_SECONDS, time.monotonic())
        state = self.watch.text, self.watch.fraction
        if state != self._shown:  # every call passes through GIMP's process
            self._shown = state
            Gimp.progress_set_text(self.watch.text)
            if self.watch.fraction is None:
                Gimp.progress_pulse()
            else:
                Gimp.progress_update(self.watch.fraction)

    def stop(self) -> None:
        """End the job on the server; `over` follows shortly."""
        self.watch.stopping, self._stopped_at = True, time.monotonic()
        self._client.cancel(str(self.watch.job))

    def finish(self) -> list[Gimp.Layer]:
        """The new layers, in the image. Raises `RefusedError` with what went wrong, `StoppedError` when that was wanted."""
        Gimp.progress_end()
        if self.watch.outcome == "finished":
            return self._finished()
        if self.watch.stopping:
            raise StoppedError
        raise RefusedError(
            explained(self.watch.failure) if self.watch.failure is not None else "The server ended without a word. Try again."
        )

    def _finished(self) -> list[Gimp.Layer]:
        if not self.watch.layers:
            raise RefusedError("The server sent no layer. Its log may say why; try again.")
        layers = self._insert()
        self._client.acknowledge(self.watch.layers[0].job)
        Gimp.displays_flush()
        return layers

    def _insert(self) -> list[Gimp.Layer]:
        item = stacked(self.watch.layers, title=self.order.title)
        if item is None:
            raise RefusedError("The result is empty: every pixel is transparent. Try another seed or other words.")
        image, original = self._image, self.order.original
        if image is None or not image.is_valid():
            return _in_new_image(item, self._record, self._show)
        with canvas.one_undo_step(image):
            if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
                image.convert_rgb()
            layers = canvas.insert(image, self._spot(image), item, self._record)
            if original is not None and original.is_valid():
                if self.order.mask:
                    _restore(layers, original, self.order.mask)
                if self.order.hide_original:
                    original.set_visible(False)
        return layers

    def _spot(self, image: Gimp.Image) -> canvas.Spot:
        below = self.order.below
        if below is not None and below.is_valid():
            return canvas.spot_below(image, below)
        return canvas.spot_above(image, self._layer)

    def _record(self, sheet: Sheet) -> dict[str, Any]:
        return recorded(self.order, sheet)


def recorded(order: Order, sheet: Sheet) -> dict[str, Any]:
    """What is kept on a new layer: what was asked for, what the server says about it, and what it warns of.

    The box is where to repeat it; another version of a layer goes where that layer is.
    """
    sent = sheet.ready.layer
    said: dict[str, Any] = {"job": sent.job, "role": sent.role, "seed": sent.seed, "parameters": dict(sent.parameters)}
    task = BY_NAME.get(order.record.get("task", ""))
    if task is not None and not task.replaces:
        said["box"] = [sent.box.x, sent.box.y, sent.box.width, sent.box.height]
    if sent.warnings:
        said["warnings"] = list(sent.warnings)
    return {**order.record, "acetate": 1, **said}


def _restore(layers: list[Gimp.Layer], original: Gimp.Layer, mask: bytes) -> None:
    plain = pixels.appearance(original)
    try:
        for layer in layers:
            pixels.restore_unselected(layer, plain, mask)
    finally:
        plain.get_image().delete()


def _in_new_image(item: Item, record: canvas.Record, show: bool) -> list[Gimp.Layer]:
    """An image of its own for a result that has none to go to: none was open, or it was closed meanwhile."""
    whole = Box(0, 0, 1, 1)
    for sheet in sheets(item):
        whole = whole.union(sheet.ready.layer.box)
    image = Gimp.Image.new(whole.width, whole.height, Gimp.ImageBaseType.RGB)
    image.undo_disable()
    layers = canvas.insert(image, canvas.Spot(None, 0), item, record)
    for layer in layers:
        layer.transform_translate(-whole.x, -whole.y)
    image.undo_enable()
    if show:
        with contextlib.suppress(TypeError):  # GIMP without a screen
            Gimp.Display.new(image)
    return layers
