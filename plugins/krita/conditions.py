"""From the open document to what a task works on: which layer to send, and where the result goes.

Knows tasks and the document; reads no pixel and knows no server.
"""

from __future__ import annotations

from typing import Any

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.host import JobPlan, RefusedError
from acetate.plugins.bridge.placement import target_box
from acetate.plugins.bridge.words import short_prompt
from acetate.protocol import Box

from . import canvas

FORMAT = "bgra8"
"""What Krita's 8-bit RGB layers hold."""

WHAT = {
    "source": "the layer to work on",
    "background": "the layer that the object goes on",
    "foreground": "the layer that needs a background",
}


def plan(document: Any, form: Form) -> JobPlan:
    """Decide from the document what to do. Raises `RefusedError` when it cannot be done."""
    task, active = form.about, canvas.active_layer(document)
    anchor = canvas.identity(active) if active is not None else None
    title = short_prompt(form.prompt)
    selection, whole = canvas.selection_box(document), canvas.canvas_box(document)
    target = target_box(form.area, canvas=whole, selection=selection, layer=None, width=form.width, height=form.height)
    if task.takes is None:
        result = JobPlan(box=target, anchor=anchor, title=title, format=FORMAT)
    else:
        node_box = canvas.required_box(document, active, WHAT[task.takes])
        if task.masked:
            node_box = _with_selection(node_box, selection, whole)
        own_place = task.takes in ("source", "background")
        name = form.result_name(active.name()) if active is not None else ""
        result = JobPlan(
            box=form.result_box(node_box) if own_place else target,
            name=name,
            format=FORMAT,
            source=active,
            source_box=node_box,
            anchor=anchor,
            below=anchor if task.takes == "foreground" else None,
            title=title,
        )
    complaint = form.complaint(result.box or target)
    if complaint is not None:
        raise RefusedError(complaint)
    return result


def insertion_plan(document: Any, title: str, *, instead: bool = False) -> JobPlan:
    """The plan for layers that exist already: above the active layer, or `instead` of it. Raises `RefusedError`."""
    active = canvas.active_layer(document)
    if instead and active is None:
        raise RefusedError("No layer is active. Select the layer to replace.")
    anchor = canvas.identity(active) if active is not None else None
    return JobPlan(format=FORMAT, anchor=anchor, title=title, version_of=anchor if instead else None, original="replace")


def _with_selection(layer: Box, selection: Box | None, whole: Box) -> Box:
    """The box that repainting needs: the layer, and as much of the canvas as is selected outside it."""
    if selection is None:
        raise RefusedError("Nothing is selected. Select the part of the layer that may change.")
    return layer.union(selection.intersection(whole))
