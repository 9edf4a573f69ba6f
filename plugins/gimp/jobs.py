"""What to ask of the server: from a filled-in form and the open image to the plan of one job.

Reads no pixel; does not know sockets, dialogs, or how a result gets into the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from acetate.plugins.bridge.form import Form, from_parameters
from acetate.plugins.bridge.host import JobPlan, RefusedError
from acetate.plugins.bridge.placement import target_box, too_large
from acetate.plugins.bridge.tasks import BY_NAME
from acetate.plugins.bridge.translations import _, said
from acetate.protocol import Box
from acetate.vocabulary.surroundings import LARGEST_NATIVE, surrounded
from gi.repository import Gimp

from . import canvas, pixels


def generation(
    form: Form, image: Gimp.Image | None, layer: Gimp.Layer | None, above: Gimp.Layer | None, *, box: Box | None = None
) -> JobPlan:
    """The form's task on this image and this layer, at `box` or where the form says; the result goes above `above`.

    Raises `RefusedError`.
    """
    about = form.about
    if about.takes is not None and layer is None:
        text = _("No layer is selected. “{task}” works on one: select it and try again.")
        raise RefusedError(text.format(task=_(about.label)))
    if box is None:
        box = wanted_box(form, image, layer)
    complaint = form.complaint(box or Box(0, 0, 1, 1))
    if complaint:
        raise RefusedError(said(complaint))
    record: dict[str, Any] = {"task": form.task}
    plan = JobPlan(
        box=form.result_box(box) if box is not None else None,
        name=form.result_name(layer.get_name()) if layer is not None else "",
        format=pixels.wire_format(image),
        anchor=above,
        clip=form.clip if "clip" in about.fields else "no",
        record=record,
    )
    if about.takes is None or image is None or layer is None:
        return plan
    record["made_from"] = layer.get_tattoo()
    whole = canvas.box_of(layer)
    interpolates = about.enlarges and form.method == "enlarge" and not form.upscaler.strip()
    sent = canvas.View(layer, masked=not about.keeps_size or layer.is_group(), own_numbers=interpolates)
    if about.takes == "foreground":
        return replace(plan, source=sent, source_box=_part_within(whole, box), below=layer)
    part = box if box is not None and not about.enlarges else whole
    if not about.replaces:
        return replace(plan, source=sent, source_box=part)
    return replace(
        plan,
        source=sent,
        source_box=part,
        version_of=layer,
        original=form.original if part == whole else "keep",
        restores=layer if about.masked else None,
        clip="alpha" if part != whole and not about.masked else "no",
        grows=form.grows,
    )


def _part_within(layer: Box, box: Box | None) -> Box:
    """The part of a foreground that lies where its background is to be. Raises `RefusedError` when nothing does."""
    part = layer.intersection(box) if box is not None else layer
    if part.empty:
        raise RefusedError(_("The selected layer does not reach into the area of the background. Choose another area or layer."))
    return part


def _own_part(form: Form, image: Gimp.Image, layer: Gimp.Layer) -> Box:
    """The part of the layer that a task on it works on: all of it, or what is selected of it with its surroundings.

    A part lies above the layer that it is a new version of, so it is enough only where nothing shows through either of both.
    Raises `RefusedError` for a repaint without a selection.
    """
    whole, selection = canvas.box_of(layer), canvas.selection_box(image)
    selected = whole.intersection(selection) if selection is not None else Box(0, 0, 0, 0)
    if form.about.masked and selected.empty:
        raise RefusedError(_("No part of the layer is selected. Select the part that may change."))
    if selected.empty or form.about.enlarges:
        return whole
    part = surrounded(selected, whole, LARGEST_NATIVE)
    if form.about.replaces and too_large(whole) is None and not canvas.hides_what_is_below(layer, part):
        return whole
    return part


def repetition(image: Gimp.Image, layer: Gimp.Layer | None, seed: int) -> tuple[Form, JobPlan]:
    """The job that made the layer, with another seed, above that layer. Raises `RefusedError`."""
    record = canvas.attached(layer)
    if layer is None or record.get("task") not in BY_NAME:
        raise RefusedError(_("The selected layer does not come from Acetate. Select one that does, or use Generate Layer."))
    form, box = replace(form_of_record(record, Form()), seed=seed), record.get("box")
    subject = _made_from(image, record) if form.about.takes is not None else layer
    return form, generation(form, image, subject, layer, box=Box(*box) if box else None)


def _made_from(image: Gimp.Image, record: Mapping[str, Any]) -> Gimp.Layer:
    if "made_from" not in record:
        text = _(
            "The selected layer came from the history, which does not know the layer that it was made from. Select that one and "
            "choose {task} again."
        )
        raise RefusedError(text.format(task=_(BY_NAME[record["task"]].label)))
    layer = image.get_layer_by_tattoo(record["made_from"])
    if layer is None:
        raise RefusedError(
            _("The layer that the selected one was made from is gone. Bring it back by undo, or use another layer.")
        )
    return layer


def form_of_record(record: Mapping[str, Any], form: Form) -> Form:
    """The form that asks for a layer's job again, from what is kept on the layer, over `form`; the same form without a record."""
    parameters = record.get("parameters")
    if record.get("task") not in BY_NAME or not isinstance(parameters, Mapping):
        return form
    return from_parameters({**parameters, "task": record["task"], "seed": record.get("seed")}, form)


def completed(form: Form, record: Mapping[str, Any]) -> Form:
    """A refinement without a prompt gets the layer's own prompt and model, as the dialog would offer them."""
    if form.task != "refine" or form.prompt.strip():
        return form
    kept = form_of_record(record, form)
    return replace(form, prompt=kept.prompt, model=form.model or kept.model)


def check_size(form: Form, image: Gimp.Image | None) -> None:
    """Raise `RefusedError` for a width and height that would be ignored: a script that gives them wants them.

    They count for a custom size, and where there is no image to take one from; both or neither.
    """
    size = {"width": form.width, "height": form.height, "area": form.area}
    if (form.width > 0) != (form.height > 0):
        raise RefusedError(_("The width is {width} and the height {height}. Give both, or neither.").format(**size))
    if form.width > 0 and image is not None and form.area != "custom":
        text = _("The size {width} × {height} counts only for the area “custom”; the area is “{area}”. Give one of both alone.")
        raise RefusedError(text.format(**size))
    if form.area == "custom" and form.width == 0:
        raise RefusedError(_("The area is “custom”, but width and height are 0. Give both, or another area."))


def wanted_box(form: Form, image: Gimp.Image | None, layer: Gimp.Layer | None) -> Box | None:
    """Where the form wants the result; `None` leaves size and place to the model. Raises `RefusedError`."""
    own_size = form.width > 0 and form.height > 0
    if image is None:
        return Box(0, 0, form.width, form.height) if own_size else None
    if "area" not in form.about.fields and layer is not None:
        return _own_part(form, image, layer)
    if form.area == "custom" and not own_size:
        text = _("The custom size is {width} × {height}. Give a width and a height of at least 1 pixel.")
        raise RefusedError(text.format(width=form.width, height=form.height))
    if form.area == "layer" and layer is None:
        raise RefusedError(_("No layer is selected whose size could be used. Select one, or choose the canvas."))
    return target_box(
        form.area,
        canvas=canvas.canvas_box(image),
        selection=canvas.selection_box(image),
        layer=canvas.box_of(layer) if layer is not None else None,
        width=form.width,
        height=form.height,
    )
