"""How each layer of a document was generated: kept with the document, and read back from there.

Knows the document and finished layers; knows no widget.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.stack import Folder, Item, Sheet, sheets

from ..canvas import identity
from ..forms import remembering

REMEMBERED_LAYERS = 200
"""How many layers' parameters a document keeps, newest last."""


def remember_result(result: PendingResult, node: Any, item: Item) -> None:
    """Keep on the document what made these layers, so that *Repeat* and *Refine* know it after reopening."""
    task = {"task": result.form.task} if result.form is not None else {}
    found = [(identity(one), sheet.ready.layer.parameters) for one, sheet in _made_of(node, item)]
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


def made_with(document: Any, node: Any) -> dict[str, Any]:
    """The parameters that the document remembers for a layer; empty if there are none."""
    layers = remembering.remembered(document).get("layers")
    found = layers.get(identity(node)) if isinstance(layers, dict) else None
    return found if isinstance(found, dict) else {}


def _made_of(node: Any, item: Item) -> Iterator[tuple[Any, Sheet]]:
    """Every layer with its sheet; a group counts as its uppermost one."""
    *_, uppermost = sheets(item)
    yield node, uppermost
    if isinstance(item, Folder):
        for child, inner in zip(node.childNodes(), item.items, strict=False):  # an artist may have been quick to take one out
            yield from _made_of(child, inner)
