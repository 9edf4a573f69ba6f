"""GIMP's side of a job: reading and inserting at once on its main thread, and what each new layer keeps.

Knows the image and finished layers; does not know whether anyone is watching.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from acetate.plugins.bridge.host import EditorHost, RefusedError, Wording, Work
from acetate.plugins.bridge.job_status import JobStatus
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.stack import Item, Sheet, sheets
from acetate.plugins.bridge.tasks import BY_NAME
from acetate.protocol import Box, Image
from gi.repository import Gimp

from . import canvas


class StoppedError(Exception):
    """The person stopped the run; a normal end without a result."""


class GimpHost(EditorHost):
    """Documents are images. A plug-in of GIMP is a process of its own: it works at once, and painting goes on anyway."""

    wording = Wording(
        reading=JobStatus.text,
        sending=JobStatus.text,
        foreign_file="{name} is not a PSD, OpenRaster or PNG file. For other files, use File > Open as Layers.",
        empty_file="{name} is empty: the file has no bytes. Choose another file, or save it again where it came from.",
    )
    keeps_jobs = False
    lost_seconds = 30.0
    stop_seconds = 5.0

    def __init__(self, *, show: bool) -> None:
        """With `show`, an image that has to be made for a result gets a window."""
        self._show = show
        self._shown: tuple[str, float | None] | None = None

    def check(self, image: Gimp.Image | None) -> None:
        """Raise `RefusedError` for an image that no new layer can go into, before anything is generated."""
        if image is not None and image.get_floating_sel() is not None:
            raise RefusedError(
                "There is a floating selection. Anchor it (Layer > Anchor Layer) or make it a layer, then try again."
            )

    def is_open(self, image: Gimp.Image | None) -> bool:
        return image is not None and image.is_valid()

    def read_layer(self, image: Gimp.Image, layer: Gimp.Layer, box: Box) -> Work[Image]:
        """The whole layer as it looks: GIMP's plans always read layers whole."""
        yield
        return canvas.look(layer)

    def read_selection(self, image: Gimp.Image, box: Box) -> Work[Image]:
        yield
        return canvas.selection_mask(image, box)

    def undo_step(self, image: Gimp.Image) -> contextlib.AbstractContextManager[None]:
        return canvas.one_undo_step(image)

    def insert(self, result: PendingResult, item: Item) -> Work[list[Gimp.Layer]]:
        """Put the item in; returns the new layers with pixels, lowest first."""
        yield
        image, plan = result.document, result.plan
        if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
            image.convert_rgb()
        spot = canvas.spot_above(image, plan.anchor)
        if plan.below is not None and plan.below.is_valid():
            spot = canvas.spot_below(image, plan.below)
        layers = canvas.insert(image, spot, item, lambda sheet: recorded(plan.record, sheet))
        if result.mask and plan.restores.is_valid():
            canvas.restore_unselected(layers, plan.restores, result.mask)
        return layers

    def insert_elsewhere(self, result: PendingResult, item: Item) -> Work[list[Gimp.Layer]]:
        """Put the item into a new image, when none was open or it was closed in the meantime."""
        yield
        whole = Box(0, 0, 1, 1)
        for sheet in sheets(item):
            whole = whole.union(sheet.ready.layer.box)
        image = Gimp.Image.new(whole.width, whole.height, Gimp.ImageBaseType.RGB)
        image.undo_disable()
        layers = canvas.insert(image, canvas.Spot(None, 0), item, lambda sheet: recorded(result.plan.record, sheet))
        for layer in layers:
            layer.transform_translate(-whole.x, -whole.y)
        image.undo_enable()
        if self._show:
            with contextlib.suppress(TypeError):  # GIMP without a screen
                Gimp.Display.new(image)
        return layers

    def hide(self, layer: Gimp.Layer) -> None:
        canvas.hide(layer)

    def notify(self, result: PendingResult) -> None:
        """Show the state in GIMP's status bar. Cancel there kills this process; the dropped connection then ends the job."""
        if result.save_as is not None:
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
