"""GIMP's side of a job: reading and inserting at once on its main thread, and what each new layer keeps.

Knows the image and finished layers; does not know whether anyone is watching.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from acetate.plugins.bridge.host import EditorHost, RefusedError, T, Then, Wording, Work
from acetate.plugins.bridge.job_status import LOOKING
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.placement import out_of_sight
from acetate.plugins.bridge.stack import Item, Sheet, sheets
from acetate.plugins.bridge.tasks import BY_NAME
from acetate.plugins.bridge.translations import _, marked
from acetate.protocol import Box, Image
from gi.repository import Gimp, GLib

from . import canvas, new_version, opened_file, pixels
from .opened_file import OpenedFile

REDUCED = re.compile(r"\bmasks?\b|16 bits")
"""What the server notes about masks and depth, which GIMP's own way of opening a file keeps."""

TURN = 0.02
"""How long a window may be kept waiting at a time, in seconds."""


class StoppedError(Exception):
    """The person stopped the run; a normal end without a result."""


class GimpHost(EditorHost):
    """Documents are images. A plug-in of GIMP is a process of its own: it works at once, and painting goes on anyway."""

    wording = Wording(
        reading=LOOKING,
        sending=LOOKING,
        foreign_file=marked("{name} is not a PSD, OpenRaster or PNG file. For other files, use File > Open as Layers."),
        empty_file=marked("{name} is empty: the file has no bytes. Choose another file, or save it again where it came from."),
    )
    keeps_jobs = False
    lost_seconds = 30.0
    stop_seconds = 5.0

    def __init__(self, *, show: bool, windowed: bool = False) -> None:
        """With `show`, an image that has to be made for a result gets a window; `windowed` when a window of ours is open."""
        self._show, self._windowed = show, windowed
        self._shown: tuple[str, float | None] | None = None
        self._told: set[int] = set()
        """The images of which it was said that they have more than a model draws."""

    def check(self, image: Gimp.Image | None) -> None:
        """Raise `RefusedError` for an image that no new layer can go into, before anything is generated."""
        if image is not None and image.get_floating_sel() is not None:
            raise RefusedError(
                _("There is a floating selection. Anchor it (Layer > Anchor Layer) or make it a layer, then try again.")
            )

    def is_open(self, image: Gimp.Image | None) -> bool:
        return image is not None and image.is_valid()

    def read_layer(self, image: Gimp.Image, layer: canvas.View, box: Box) -> Work[Image]:
        return (yield from canvas.look(layer, box))

    def read_selection(self, image: Gimp.Image, box: Box) -> Work[Image]:
        return (yield from canvas.selection_mask(image, box))

    def undo_step(self, image: Gimp.Image) -> contextlib.AbstractContextManager[None]:
        return canvas.one_undo_step(image)

    def insert(self, result: PendingResult, item: Item) -> Work[list[Gimp.Layer]]:
        """Put the item in, all at once; returns the new layers with pixels, in the order of `in_order`."""
        yield from ()
        image, plan, original = result.document, result.plan, result.plan.version_of
        if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
            image.convert_rgb()
        spot = canvas.spot_above(image, plan.anchor)
        if plan.below is not None and plan.below.is_valid():
            spot = canvas.spot_below(image, plan.below)
        if isinstance(plan.source, OpenedFile):
            return self._insert_file(result, spot, plan.source, item)
        layers = canvas.insert(image, spot, item, lambda sheet: recorded(plan.record, sheet))
        if plan.source is not None and plan.source.own_numbers:
            canvas.in_own_numbers(layers, item)
        elif original is not None:
            self._as_eight_bits(result, image)
        if result.mask and plan.restores.is_valid():
            new_version.restore_unselected(layers, plan.restores, result.mask)
        if result.selection is not None and plan.box is not None:
            new_version.clip(layers, bytes(result.selection.data), plan.box, as_mask=plan.clip == "mask")
        if original is not None and original.is_valid():
            (top,) = image.get_selected_layers()
            new_version.take_over(top, layers, original, masks=plan.source is not None and not plan.source.masked)
            if plan.original == "replace":
                image.remove_layer(original)
        self._beyond(result, image, layers)
        return in_order(item, layers)

    def _as_eight_bits(self, result: PendingResult, image: Gimp.Image) -> None:
        """Say once for each image that a network's colours are 8-bit sRGB, where the image has more than that."""
        plain = pixels.wire_format(image) == "rgba8" and image.get_color_profile() is None
        if not plain and result.form is not None and image.get_id() not in self._told:
            self._told.add(image.get_id())
            result.remarks += (
                _("What a model draws comes as 8-bit sRGB, less than this image has. Unselected pixels keep all of it."),
            )

    @staticmethod
    def _insert_file(result: PendingResult, spot: canvas.Spot, file: OpenedFile, item: Item) -> list[Gimp.Layer]:
        """The file's layers as GIMP opens them, where these are the same; else as the server has read them."""
        image = result.document

        def record(sheet: Sheet) -> dict[str, Any]:
            return recorded(result.plan.record, sheet)

        if layers := opened_file.insert(image, spot, file, item, record):
            result.status.notes = tuple(note for note in result.status.notes if not REDUCED.search(note))
            return layers
        layers = canvas.insert(image, spot, item, record)
        opened_file.name_alone(layers, file)
        return layers

    @staticmethod
    def _beyond(result: PendingResult, image: Gimp.Image, layers: Sequence[Gimp.Layer]) -> None:
        """Let the canvas grow where that is wanted, or say that a layer reaches beyond it."""
        boxes = [canvas.box_of(layer) for layer in layers]
        if result.plan.grows:
            canvas.grow(image, boxes)
            return
        enlarged = result.form is not None and result.form.about.enlarges
        said = (out_of_sight(box, canvas.canvas_box(image), enlarged=enlarged) for box in boxes)
        result.remarks += tuple(text for text in said if text)

    def insert_elsewhere(self, result: PendingResult, item: Item) -> Work[list[Gimp.Layer]]:
        """Put the item into a new image, when none was open or it was closed in the meantime."""
        yield from ()
        whole = Box(0, 0, 1, 1)
        for sheet in sheets(item):
            whole = whole.union(sheet.ready.layer.box)
        image = Gimp.Image.new(whole.width, whole.height, Gimp.ImageBaseType.RGB)
        image.undo_disable()
        layers = canvas.insert(image, canvas.Spot(None, 0), item, lambda sheet: recorded(result.plan.record, sheet))
        for layer in layers:
            layer.transform_translate(-whole.x, -whole.y)
        if isinstance(result.plan.source, OpenedFile):
            opened_file.name_alone(layers, result.plan.source)
        image.undo_enable()
        if self._show:
            with contextlib.suppress(TypeError):  # GIMP without a screen
                Gimp.Display.new(image)
        return in_order(item, layers)

    def hide(self, layer: Gimp.Layer) -> None:
        canvas.hide(layer)

    def later(self, work: Work[T], then: Then[T]) -> None:
        """A window draws itself while pictures are read; without one there is nothing to wait for."""
        if self._windowed:
            GLib.idle_add(_turn, work, then)
        else:
            super().later(work, then)

    def notify(self, result: PendingResult) -> None:
        """Show the state in GIMP's status bar, unless a window of ours does.

        Cancel there kills this process, and what a person has typed with it; the dropped connection then ends the job.
        """
        if self._windowed or result.save_as is not None:
            if result.over and result.made and result.save_as is None:
                Gimp.displays_flush()
            return
        if self._shown is None:
            Gimp.progress_init("Acetate")
        state = result.status.text, result.status.fraction
        if result.over:
            self._shown = None
            Gimp.progress_end()
            if result.made:
                Gimp.displays_flush()
        elif state != self._shown:  # every call passes through GIMP's process
            self._shown = state
            Gimp.progress_set_text(result.status.text)
            if result.status.fraction is None:
                Gimp.progress_pulse()
            else:
                Gimp.progress_update(result.status.fraction)


def _turn(work: Work[T], then: Then[T]) -> bool:
    """A few milliseconds of the work, whenever GLib has nothing else to do; returns whether there is more."""
    until = time.monotonic() + TURN
    try:
        while time.monotonic() < until:
            next(work)
    except StopIteration as stop:
        then(stop.value, None)
    except Exception as error:
        then(None, error)
    else:
        return True
    return False


def in_order(item: Item, layers: Sequence[Gimp.Layer]) -> list[Gimp.Layer]:
    """The layers of the item's sheets, given lowest first, by candidate and then as their task makes them."""
    found = list(zip(sheets(item), layers, strict=True))
    found.sort(key=lambda pair: (pair[0].ready.layer.picture, pair[0].ready.layer.index))
    return [layer for _sheet, layer in found]


def recorded(record: Mapping[str, Any], sheet: Sheet) -> dict[str, Any]:
    """What is kept on a new layer: what was asked for, what the server says about it, and what it warns of.

    The box is where to repeat it; another version of a layer goes where that layer is.
    """
    sent = sheet.ready.layer
    said: dict[str, Any] = {"job": sent.job, "role": sent.role, "seed": sent.seed, "parameters": dict(sent.parameters)}
    task = BY_NAME.get(record.get("task", ""))
    if task is not None and not task.replaces:
        said["box"] = [sent.box.x, sent.box.y, sent.box.width, sent.box.height]
    if sent.warnings:
        said["warnings"] = list(sent.warnings)
    return {**record, "acetate": 1, **said}
