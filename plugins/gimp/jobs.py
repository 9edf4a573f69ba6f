"""What to ask of the server: from a filled-in form and the open image to the plan of one job.

Reads no pixel; does not know sockets, dialogs, or how a result gets into the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from acetate.plugins.bridge.form import Form, from_parameters
from acetate.plugins.bridge.host import JobPlan, RefusedError
from acetate.plugins.bridge.placement import target_box
from acetate.plugins.bridge.tasks import BY_NAME
from acetate.protocol import Box
from gi.repository import Gimp

from . import canvas, pixels


def generation(
    form: Form,
    image: Gimp.Image | None,
    layer: Gimp.Layer | None,
    above: Gimp.Layer | None,
    *,
    box: Box | None = None,
    hide_original: bool = False,
) -> JobPlan:
    """The form's task on this image and this layer, at `box` or where the form says; the result goes above `above`.

    Raises `RefusedError`.
    """
    about = form.about
    if about.takes is not None and layer is None:
        raise RefusedError(f"No layer is selected. {about.meaning}: select that layer and try again.")
    if box is None:
        box = wanted_box(form, image, layer)
    complaint = form.complaint(box or Box(0, 0, 1, 1))
    if complaint:
        raise RefusedError(complaint)
    takes = about.takes is not None and image is not None and layer is not None
    return JobPlan(
        box=form.result_box(box) if box is not None else None,
        name=form.result_name(layer.get_name()) if layer is not None else "",
        format=pixels.wire_format(image),
        source=layer if takes else None,
        source_box=canvas.box_of(layer) if takes else None,
        anchor=above,
        below=layer if about.takes == "foreground" else None,
        version_of=layer if about.replaces else None,
        original="hide" if hide_original else "keep",
        restores=layer if about.replaces and about.masked else None,
        record={"task": form.task, "made_from": layer.get_tattoo()} if takes and layer is not None else {"task": form.task},
    )


def repetition(image: Gimp.Image, layer: Gimp.Layer | None, seed: int) -> tuple[Form, JobPlan]:
    """The job that made the layer, with another seed, above that layer. Raises `RefusedError`."""
    record = canvas.attached(layer)
    if layer is None or record.get("task") not in BY_NAME:
        raise RefusedError("The selected layer does not come from Acetate. Select one that does, or use Generate Layer.")
    form, box = replace(form_of_record(record, Form()), seed=seed), record.get("box")
    subject = _made_from(image, record) if form.about.takes is not None else layer
    return form, generation(form, image, subject, layer, box=Box(*box) if box else None)


def _made_from(image: Gimp.Image, record: Mapping[str, Any]) -> Gimp.Layer:
    if "made_from" not in record:
        raise RefusedError(
            "The selected layer came from the history, which does not know the layer that it was made from. Select that one and "
            f"choose {BY_NAME[record['task']].label} again."
        )
    layer = image.get_layer_by_tattoo(record["made_from"])
    if layer is None:
        raise RefusedError("The layer that the selected one was made from is gone. Bring it back by undo, or use another layer.")
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


def wanted_box(form: Form, image: Gimp.Image | None, layer: Gimp.Layer | None) -> Box | None:
    """Where the form wants the result; `None` leaves size and place to the model. Raises `RefusedError`."""
    own_size = form.width > 0 and form.height > 0
    if image is None:
        return Box(0, 0, form.width, form.height) if own_size else None
    if "area" not in form.about.fields and layer is not None:
        return canvas.box_of(layer)
    if form.area == "custom" and not own_size:
        raise RefusedError(f"The custom size is {form.width} × {form.height}. Give a width and a height of at least 1 pixel.")
    if form.area == "layer" and layer is None:
        raise RefusedError("No layer is selected whose size could be used. Select one, or choose the canvas.")
    return target_box(
        form.area,
        canvas=canvas.canvas_box(image),
        selection=canvas.selection_box(image),
        layer=canvas.box_of(layer) if layer is not None else None,
        width=form.width,
        height=form.height,
    )
