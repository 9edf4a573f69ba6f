"""From the open document to what a task works on: which layer to send, and where the result goes.

Knows tasks and the document; reads no pixel and knows no server.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.host import JobPlan, RefusedError
from acetate.plugins.bridge.placement import target_box, too_large
from acetate.plugins.bridge.translations import _, marked
from acetate.plugins.bridge.words import short_prompt
from acetate.protocol import Box
from acetate.vocabulary.surroundings import LARGEST_NATIVE, surrounded

from . import canvas
from .colours import colour_of, native

FORMAT = "bgra8"
"""What Krita's 8-bit RGB layers hold."""

WHAT = {
    "source": marked("the layer to work on"),
    "background": marked("the layer that the object goes on"),
    "foreground": marked("the layer that needs a background"),
}


@dataclass(frozen=True)
class Source:
    """A layer to be sent, and how."""

    node: Any
    unmasked: bool = False
    """Whether its masks are left out: the result gets them again."""
    deep: bool = False
    """Whether it goes in its own depth and colour space: it is only enlarged."""


def settled(document: Any, form: Form, sketching: Collection[str]) -> Form:
    """The form that says itself that nothing is drawn, where that is so and the layer has more than 8 bits to lose.

    `sketching` are the models that never redraw a layer while they enlarge it.
    """
    plain = not form.upscaler and form.method == "auto" and form.model in sketching
    deep = plain and form.about.enlarges and document is not None and _has_depth(canvas.active_layer(document))
    return replace(form, method="enlarge") if deep else form


def plan(document: Any, form: Form) -> JobPlan:
    """Decide from the document what to do. Raises `RefusedError` when it cannot be done."""
    task, active = form.about, canvas.active_layer(document)
    anchor = canvas.identity(active) if active is not None else None
    selection, whole = canvas.selection_box(document), canvas.canvas_box(document)
    target = target_box(form.area, canvas=whole, selection=selection, layer=None, width=form.width, height=form.height)
    common = JobPlan(
        anchor=anchor, title=short_prompt(form.prompt), format=FORMAT, surroundings=canvas.surroundings(document), box=target
    )
    if task.worked_on is None:
        cut = form.area == "selection" and selection is not None
        result = replace(common, clip=form.clip if cut else "no")
    else:
        node_box = canvas.required_box(document, active, _(WHAT[task.worked_on]))
        if task.masked:
            node_box = _with_selection(node_box, selection, whole)
        own_place = task.takes in ("source", "background")
        layer_box = node_box
        if own_place and not task.enlarges:
            node_box = _part_in_reach(node_box, selection)
        second, second_box = _besides(document, active, form) if task.besides is not None else (None, None)
        deep = task.enlarges and form.method == "enlarge" and not form.upscaler and _has_depth(active)
        way = native(colour_of(active)) if deep else None
        result = replace(
            common,
            box=second_box or (form.result_box(node_box) if own_place else target),
            name=form.result_name(active.name()) if active is not None else "",
            format=way.format if way is not None else FORMAT,
            source=Source(active, task.replaces, way is not None),
            source_box=node_box,
            besides=second,
            besides_box=second_box,
            below=anchor if task.takes == "foreground" else None,
            version_of=anchor if task.replaces else None,
            original=form.original if node_box == layer_box else "keep",
            clip="alpha" if node_box != layer_box and task.replaces and not task.masked else "no",
            restores=anchor if task.masked else None,
            grows=form.grows and task.enlarges,
        )
    complaint = form.complaint(result.box or target)
    if complaint is not None:
        raise RefusedError(complaint)
    # Of several candidates the first comes by itself; the others wait until the artist has looked at them.
    return replace(result, pictures=(0,)) if form.parameters().count > 1 else result


def _part_in_reach(layer: Box, selection: Box | None) -> Box:
    """The layer, or where it is too large to be sent, what is selected of it with its surroundings."""
    selected = layer.intersection(selection) if selection is not None else Box(0, 0, 0, 0)
    return layer if selected.empty or too_large(layer) is None else surrounded(selected, layer, LARGEST_NATIVE)


def insertion_plan(document: Any, title: str, *, instead: bool = False, as_mask: bool = False) -> JobPlan:
    """The plan for layers that exist already: above the active layer, `instead` of it, or as its transparency mask.

    Raises `RefusedError`.
    """
    active = canvas.active_layer(document)
    if instead and active is None:
        raise RefusedError(_("No layer is active. Select the layer to replace."))
    if as_mask and active is None:
        raise RefusedError(_("No layer is active. Select the layer that gets the mask."))
    anchor = canvas.identity(active) if active is not None else None
    version, mask = anchor if instead else None, anchor if as_mask else None
    return JobPlan(format=FORMAT, anchor=anchor, title=title, version_of=version, original="replace", mask_of=mask)


def _besides(document: Any, active: Any, form: Form) -> tuple[Source, Box]:
    """The picture that a single step takes the active layer out of, and its box. Raises `RefusedError`."""
    node = canvas.find(document, form.besides) if form.besides else canvas.layer_below(active)
    if node is None and form.besides:
        raise RefusedError(_("The layer that was chosen as the picture is gone. Choose another one."))
    if node is None:
        raise RefusedError(_("No layer lies below the active one. Choose which layer is the picture of both together."))
    if node == active:
        raise RefusedError(_("The active layer was chosen as the picture, too. Choose the layer that shows both together."))
    return Source(node), canvas.required_box(document, node, _("the picture of both together"))


def _has_depth(node: Any) -> bool:
    return node is not None and node.type() == "paintlayer" and native(colour_of(node)) is not None


def _with_selection(layer: Box, selection: Box | None, whole: Box) -> Box:
    """The box that repainting needs: the layer, and as much of the canvas as is selected outside it."""
    if selection is None:
        raise RefusedError(_("Nothing is selected. Select the part of the layer that may change."))
    return layer.union(selection.intersection(whole))
