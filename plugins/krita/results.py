"""From a job's end to layers in the document: what a result is for, where it goes, what the document keeps of it.

Knows the document and finished layers; knows no server and no widget.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.stack import Folder, Item, Sheet, sheets, stacked
from acetate.plugins.bridge.watch import Watch
from acetate.protocol import Box

from . import canvas
from .conditions import RefusedError

TO_BE_DRAGGED = "It lies above your layer, which is the lowest one: Krita lets no plug-in put anything below it. Drag it down."

REMEMBERED_LAYERS = 200
"""Whose parameters a document keeps, newest last."""


@dataclass
class Errand:
    """A job, and what its result is for."""

    watch: Watch
    document: Any = None
    """Krita's; `None` when the result does not go into a document."""
    anchor: str | None = None
    """Identity of the layer to put it above: the active one when the artist asked."""
    form: Form | None = None
    """What was asked, for a generation."""
    box: Box | None = None
    """Where the result of a generation goes."""
    title: str = ""
    """Of the group, when several layers come."""
    replaces: str | None = None
    """Identity of the layer to take out when the result is in."""
    save_as: Path | None = None
    """For an export: the file to write."""
    below: bool = False
    """Put it below that layer instead."""
    remark: tuple[str, ...] = ()
    """What the artist should know of how it was put in."""

    @property
    def job(self) -> str:
        return self.watch.job or ""

    @property
    def notes(self) -> tuple[str, ...]:
        """Everything that the artist should know of the result."""
        return self.remark + self.watch.notes + tuple(one for ready in self.watch.layers for one in ready.layer.warnings)


def insertion(app: Any, errand: Errand) -> Generator[None, None, Any]:
    """Put the result in; returns the node that should be active afterwards.

    Raises `RefusedError` when there is nothing to see in it, `canvas.DocumentClosedError` when there is no document any more.
    """
    document = errand.document
    if not canvas.is_open(app, document):
        raise canvas.DocumentClosedError
    item = stacked(errand.watch.layers, title=errand.title)
    if item is None:
        raise RefusedError("The result is empty: every pixel is transparent. Try another prompt or seed.")
    if errand.below and errand.anchor is not None and canvas.is_lowest(document, errand.anchor):
        errand.remark = (TO_BE_DRAGGED,)
    work = canvas.insert(app, document, item, errand.anchor, below=errand.below)
    while True:
        before = canvas.active_layer(document)  # afterwards it may be the new one: Krita 5.3 is quick
        try:
            next(work)
        except StopIteration as stop:
            node = stop.value
            break
        yield
    _remember(errand, node, item)
    if errand.replaces is not None and (old := canvas.find(document, errand.replaces)) is not None:
        old.remove()
        return node
    # An artist who has gone on to another layer meanwhile stays there.
    moved_on = before is not None and canvas.identity(before) != errand.anchor
    return before if moved_on else node


def _remember(errand: Errand, node: Any, item: Item) -> None:
    """Keep on the document what made these layers, so that *Repeat* and *Refine* know it after reopening."""
    task = {"task": errand.form.task} if errand.form is not None else {}
    found = [(canvas.identity(one), sheet.ready.layer.parameters) for one, sheet in _made_of(node, item)]
    made = {name: {**parameters, **task} for name, parameters in found if parameters}
    if not made:
        return
    record = canvas.remembered(errand.document)
    kept = record.get("layers")
    layers = {**(kept if isinstance(kept, dict) else {}), **made}
    record["layers"] = dict(list(layers.items())[-REMEMBERED_LAYERS:])
    if errand.form is not None:
        record["form"] = errand.form.to_json()
    canvas.remember(errand.document, record)


def _made_of(node: Any, item: Item) -> Iterator[tuple[Any, Sheet]]:
    """Every layer with its sheet; a group counts as its uppermost one."""
    *_, uppermost = sheets(item)
    yield node, uppermost
    if isinstance(item, Folder):
        for child, inner in zip(node.childNodes(), item.items, strict=False):  # an artist may have been quick to take one out
            yield from _made_of(child, inner)


def made_with(document: Any, node: Any) -> dict[str, Any]:
    """The parameters that the document remembers of a layer; empty without any."""
    layers = canvas.remembered(document).get("layers")
    found = layers.get(canvas.identity(node)) if isinstance(layers, dict) else None
    return found if isinstance(found, dict) else {}
