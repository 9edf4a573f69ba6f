"""From the open document to what a task works on: which pictures to send, and where the result goes.

Knows tasks and the document; knows no server. The reading is `steps.Work`: it goes on while the artist paints.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.placement import target_box
from acetate.protocol import Box, Condition, Image

from . import canvas

WHAT = {
    "source": "the layer to work on",
    "background": "the layer that the object goes on",
    "foreground": "the layer that needs a background",
}


class RefusedError(Exception):
    """This cannot be generated; the text says why and what to do, in a sentence or two."""


@dataclass(frozen=True)
class Plan:
    """Decided when the artist presses the button, before anything is read."""

    box: Box
    """Where the result goes."""
    anchor: str | None
    """Identity of the layer that it goes above."""
    below: bool = False
    """Or below it."""
    node: Any | None = None
    """The layer to send."""
    node_box: Box | None = None
    """What of it to send."""
    name: str = ""
    """What the server is to call the result."""


def plan(document: Any, form: Form) -> Plan:
    """Look at the document and say what would be done; raises `RefusedError`."""
    task, active = form.about, canvas.active_layer(document)
    anchor = canvas.identity(active) if active is not None else None
    selection, whole = canvas.selection_box(document), canvas.canvas_box(document)
    target = target_box(form.area, canvas=whole, selection=selection, layer=None, width=form.width, height=form.height)
    if task.takes is None:
        result = Plan(target, anchor)
    else:
        node_box = canvas.required_box(document, active, WHAT[task.takes])
        if isinstance(node_box, str):
            raise RefusedError(node_box)
        if task.masked:
            node_box = _with_selection(node_box, selection, whole)
        own_place = task.takes in ("source", "background")
        name = form.result_name(active.name()) if active is not None else ""
        result = Plan(
            form.result_box(node_box) if own_place else target, anchor, task.takes == "foreground", active, node_box, name
        )
    complaint = form.complaint(result.box)
    if complaint is not None:
        raise RefusedError(complaint)
    return result


def read(document: Any, form: Form, plan: Plan) -> Generator[None, None, dict[str, Condition]]:
    """The pictures that the task takes, by the protocol's names."""
    if plan.node is None or plan.node_box is None or form.about.takes is None:
        return {}
    box = plan.node_box
    data = yield from canvas.read_layer(document, plan.node, box)
    conditions: dict[str, Condition] = {form.about.takes: Condition(Image(box.width, box.height, "bgra8", data), box.x, box.y)}
    if form.about.masked:
        mask = yield from canvas.read_selection(document, box)
        if mask == bytes(len(mask)):  # 4 ms for 4096 x 4096, where `any` takes 76
            raise RefusedError("The selection does not touch the layer. Select the part of it that may change.")
        conditions["mask"] = Condition(Image(box.width, box.height, "gray8", mask), box.x, box.y)
    return conditions


def _with_selection(layer: Box, selection: Box | None, whole: Box) -> Box:
    """What repainting needs: the layer, and as much of the canvas as is selected beside it."""
    if selection is None:
        raise RefusedError("Nothing is selected. Select the part of the layer that may change.")
    return layer.union(selection.intersection(whole))
