"""What to ask of the server: from a filled-in form and the open image to one job with its pictures.

Does not know sockets, dialogs, or how its result gets into the image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from acetate.plugins.bridge.files import FORMATS
from acetate.plugins.bridge.form import Form, from_parameters
from acetate.plugins.bridge.placement import target_box
from acetate.plugins.bridge.tasks import BY_NAME
from acetate.protocol import Box, Client, Condition
from gi.repository import Gimp

from . import canvas, pixels
from .refused import RefusedError


@dataclass(frozen=True)
class Order:
    """One job: how to ask for it, and what its result has to do with the image."""

    send: Callable[[Client], str]
    """Submits and returns the job's id."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """Goes onto each new layer, beside what the server says about it."""
    title: str = ""
    """Of the group, if there is one."""
    original: Gimp.Layer | None = None
    """The layer that the result is another version of."""
    hide_original: bool = False
    below: Gimp.Layer | None = None
    """The layer that the result goes below; without one it goes above the selected layer."""
    mask: bytes = b""
    """Of a repaint, over the original's box: where it is 0 the new version keeps the original's own bytes."""
    proportions: tuple[int, int] = (1, 1)
    """Of the picture to come, for the empty preview."""


def generation(
    form: Form, image: Gimp.Image | None, layer: Gimp.Layer | None, *, box: Box | None = None, hide_original: bool = False
) -> Order:
    """The form's task on this image and this layer, at `box` or where the form says."""
    about = form.about
    if about.takes is not None and layer is None:
        raise RefusedError(f"No layer is selected. {about.meaning}: select that layer and try again.")
    if box is None:
        box = _own_box(form, image, layer)
    complaint = form.complaint(box or Box(0, 0, 1, 1))
    if complaint:
        raise RefusedError(complaint)
    conditions: dict[str, Condition] = {}
    record: dict[str, Any] = {"task": form.task}
    mask = b""
    if about.takes is not None and image is not None and layer is not None:
        place = canvas.box_of(layer)
        if about.masked:
            selected = canvas.selection_mask(image, place)
            mask = bytes(selected.data)
            if not any(mask):
                raise RefusedError("Nothing of the layer is selected. Select the part that may change, then repaint it.")
            conditions["mask"] = Condition(selected, place.x, place.y)
        conditions[about.takes] = Condition(canvas.look(layer), place.x, place.y)
        record["made_from"] = layer.get_tattoo()
    target = form.result_box(box) if box is not None else None
    pixel_format = _pixel_format(image)
    name = form.result_name(layer.get_name()) if layer is not None else ""
    return Order(
        lambda client: client.submit(
            form.task, form.parameters(), conditions, box=target, name=name, format=pixel_format, keep=False
        ),
        record,
        original=layer if about.replaces else None,
        hide_original=hide_original,
        below=layer if about.takes == "foreground" else None,
        mask=mask,
        proportions=(target.width, target.height) if target is not None else (1, 1),
    )


def repetition(image: Gimp.Image, layer: Gimp.Layer | None, seed: int) -> Order:
    """The job that made the layer, with another seed."""
    record = canvas.attached(layer)
    if layer is None or record.get("task") not in BY_NAME:
        raise RefusedError("The selected layer does not come from Acetate. Select one that does, or use Generate Layer.")
    form = replace(form_of_record(record, Form()), seed=seed)
    if form.about.takes is not None:
        layer = _made_from(image, record)
    box = record.get("box")
    return generation(form, image, layer, box=Box(*box) if box else None)


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
    """A refinement without a prompt gets prompt and model of the layer itself, as the dialog would offer them."""
    if form.task != "refine" or form.prompt.strip():
        return form
    kept = form_of_record(record, form)
    return replace(form, prompt=kept.prompt, model=form.model or kept.model)


def layers_of_file(path: str | None, image: Gimp.Image | None) -> Order:
    if not path:
        raise RefusedError("No file is chosen. Choose a PSD, OpenRaster or PNG file.")
    name, kind = Path(path).name, FORMATS.get(Path(path).suffix.lower())
    if kind is None:
        raise RefusedError(f"{name} is no PSD, OpenRaster or PNG file. For other files there is File > Open as Layers.")
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {error.strerror}. Choose another file.") from None
    if not data:
        raise RefusedError(f"{name} is empty: the file has no bytes. Choose another file, or save it again where it comes from.")
    pixel_format = _pixel_format(image)
    return Order(lambda client: client.insert_file(data, kind, format=pixel_format), title=name)


def finished_job(job: str, image: Gimp.Image | None, *, task: str) -> Order:
    """A job of the server's history, inserted again."""
    pixel_format = _pixel_format(image)

    def attach(client: Client) -> str:
        client.attach(job, format=pixel_format)
        return job

    return Order(attach, {"task": task})


def _own_box(form: Form, image: Gimp.Image | None, layer: Gimp.Layer | None) -> Box | None:
    """Where the form wants the result; `None` leaves size and place to the model."""
    own_size = form.width > 0 and form.height > 0
    if image is None:
        return Box(0, 0, form.width, form.height) if own_size else None
    if "area" not in form.about.fields and layer is not None:
        return canvas.box_of(layer)
    if form.area == "custom" and not own_size:
        raise RefusedError(f"The own size is {form.width} × {form.height}. Give a width and a height of at least 1 pixel.")
    if form.area == "layer" and layer is None:
        raise RefusedError("No layer is selected, so there is no layer's size. Select one, or choose the canvas.")
    return target_box(
        form.area,
        canvas=canvas.canvas_box(image),
        selection=canvas.selection_box(image),
        layer=canvas.box_of(layer) if layer is not None else None,
        width=form.width,
        height=form.height,
    )


def _pixel_format(image: Gimp.Image | None) -> str:
    return pixels.wire_format(image) if image is not None else "rgba8"
