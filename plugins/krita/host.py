"""Krita's side of a job: reading and inserting in short turns, and what the document keeps of its layers.

Knows the document and finished layers; knows no server and no widget. Imports nothing of Qt, so that it can be tested with a fake
Krita.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from acetate.plugins.bridge.host import EditorHost, RefusedError, Work
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.stack import Folder, Item, Sheet, sheets
from acetate.protocol import Box, Image

from . import canvas
from .forms import remembering

TO_BE_DRAGGED = "It lies above your layer, which is the lowest one: Krita lets no plug-in put a layer below it. Drag it down."

REMEMBERED_LAYERS = 200
"""How many layers' parameters a document keeps, newest last."""

NO_DOCUMENT = "No document is open. Create or open one first."


class KritaHost(EditorHost):
    """Layers are identities, except the one that is read.

    Krita has no groups of undo steps for plug-ins; `canvas.insert` changes the document once.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    def check(self, document: Any) -> None:
        if document is None:
            raise RefusedError(NO_DOCUMENT)

    def is_open(self, document: Any) -> bool:
        return canvas.is_open(self._app, document)

    def read_layer(self, document: Any, layer: Any, box: Box) -> Work[Image]:
        return Image(box.width, box.height, "bgra8", (yield from canvas.read_layer(document, layer, box)))

    def read_selection(self, document: Any, box: Box) -> Work[Image]:
        return Image(box.width, box.height, "gray8", (yield from canvas.read_selection(document, box)))

    def insert(self, result: PendingResult, item: Item) -> Work[Any]:
        """Put the item in; returns the node that should be active afterwards."""
        document, plan = result.document, result.plan
        if plan.below is not None and canvas.is_lowest(document, plan.below):
            result.remarks = (TO_BE_DRAGGED,)
        work = canvas.insert(self._app, document, item, plan.anchor, below=plan.below is not None)
        while True:
            before = canvas.active_layer(document)  # afterwards it may be the new one: Krita 5.3 is quick
            try:
                next(work)
            except StopIteration as stop:
                node = stop.value
                break
            yield
        _remember(result, node, item)
        if plan.replaces is not None:
            if (old := canvas.find(document, plan.replaces)) is not None:
                old.remove()
            return node
        # An artist who has moved on to another layer in the meantime stays there.
        moved_on = before is not None and canvas.identity(before) != plan.anchor
        return before if moved_on else node


def _remember(result: PendingResult, node: Any, item: Item) -> None:
    """Keep on the document what made these layers, so that *Repeat* and *Refine* know it after reopening."""
    task = {"task": result.form.task} if result.form is not None else {}
    found = [(canvas.identity(one), sheet.ready.layer.parameters) for one, sheet in _made_of(node, item)]
    made = {name: {**parameters, **task} for name, parameters in found if parameters}
    if not made:
        return
    record = remembering.remembered(result.document)
    kept = record.get("layers")
    layers = {**(kept if isinstance(kept, dict) else {}), **made}
    record["layers"] = dict(list(layers.items())[-REMEMBERED_LAYERS:])
    if result.form is not None:
        record["form"] = text = result.form.to_json()
        before = record.get("forms")
        record["forms"] = {**(before if isinstance(before, dict) else {}), result.form.task: text}
    remembering.remember(result.document, record)


def _made_of(node: Any, item: Item) -> Iterator[tuple[Any, Sheet]]:
    """Every layer with its sheet; a group counts as its uppermost one."""
    *_, uppermost = sheets(item)
    yield node, uppermost
    if isinstance(item, Folder):
        for child, inner in zip(node.childNodes(), item.items, strict=False):  # an artist may have been quick to take one out
            yield from _made_of(child, inner)


def made_with(document: Any, node: Any) -> dict[str, Any]:
    """The parameters that the document remembers for a layer; empty if there are none."""
    layers = remembering.remembered(document).get("layers")
    found = layers.get(canvas.identity(node)) if isinstance(layers, dict) else None
    return found if isinstance(found, dict) else {}
