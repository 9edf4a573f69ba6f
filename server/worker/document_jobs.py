"""The documents' lane inside a worker: layered files to layers (`insert`), finished layers to layered files (`export`).

A process of its own, as files come from anyone and can be large. Knows documents and reports; knows no pipe and no torch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from acetate import document
from acetate.protocol import BYTES_PER_PIXEL, Box, Group, Layer, ProtocolError
from acetate.protocol.messages import Export, File, Insert, Progress
from acetate.protocol.pixels import content_hash, content_id
from acetate.raster import RGBA16, Pixels, to_8_bits, trim
from acetate.vocabulary.names import file_stem
from acetate.vocabulary.stacking import nested

from .layers import thumbnail, write_pixels
from .pixels import format_of, to_deep, to_rgba8
from .worker_messages import Done, Made, MadeFile, ReportWithPayload, RunJob


class DocumentJobs:
    """The backend that runs `insert` and `export`, one job at a time."""

    def __init__(self, incoming: Path) -> None:
        self._incoming = incoming

    def describe(self) -> Mapping[str, Any]:
        return {}

    def unload(self) -> None:
        """Do nothing: nothing is kept between jobs."""

    def preload(self, model: str) -> None:
        """Do nothing: document jobs need no models."""

    def opened(self) -> tuple[str, ...]:
        return ()

    def run(self, command: RunJob) -> Iterator[ReportWithPayload]:
        """Run a job, yielding its reports. Raises `ProtocolError` for a file that cannot be read or written."""
        try:
            if isinstance(command.order, Insert):
                yield from self._insert(command.order, command)
            elif isinstance(command.order, Export):
                yield from self._export(command.order, command)
        except document.DocumentError as error:
            raise ProtocolError("bad-request", str(error), error.hint) from error

    # --- insert ------------------------------------------------------------------------------------------------------

    def _insert(self, asked: Insert, command: RunJob) -> Iterator[ReportWithPayload]:
        yield Progress(asked.job, "read", 0, 1, 0.0), b""
        data = Path(command.files[asked.sha256]["path"]).read_bytes()
        found = document.baked(document.read_bytes(data, name_or_format=f"the {asked.file} file"))
        flat = list(_flattened(found.layers, asked.job))
        for index, (layer, groups) in enumerate(flat):
            yield self._layer(asked, index, layer, groups)
            yield Progress(asked.job, "read", index + 1, len(flat), (index + 1) / len(flat)), b""
        yield Done(asked.job, found.notes), b""

    def _layer(self, asked: Insert, index: int, layer: document.Layer, groups: tuple[Group, ...]) -> tuple[Made, bytes]:
        height, width = layer.rgba.shape[:2]
        box = Box(asked.x + layer.x, asked.y + layer.y, max(1, width), max(1, height))
        trimmed = trim(layer.rgba)
        place, name, small = box, "", None
        format = format_of(layer.rgba)
        sha256 = content_hash(format).hexdigest()
        if trimmed is not None:
            pixels, inside = trimmed
            place = inside.translated(box.x, box.y)
            name, small = f"{asked.job}-{index}-{os.getpid()}", thumbnail(to_8_bits(pixels))
            sha256 = write_pixels(self._incoming / name, pixels)
        message = Layer(
            job=asked.job,
            index=index,
            name=layer.name,
            role=layer.role,
            x=place.x,
            y=place.y,
            width=place.width if name else 0,
            height=place.height if name else 0,
            box=box,
            format=format,
            bytes=place.width * place.height * BYTES_PER_PIXEL[format] if name else 0,
            sha256=sha256,
            order=index,
            group=groups,
            visible=layer.visible,
            opacity=layer.opacity,
            blend_mode=layer.blend_mode,
            parameters=layer.parameters,
        )
        if small is None:
            return Made(message, name), b""
        return Made(message, name, small.shape[1], small.shape[0]), small.tobytes()

    # --- export ------------------------------------------------------------------------------------------------------

    def _export(self, asked: Export, command: RunJob) -> Iterator[ReportWithPayload]:
        yield Progress(asked.job, "write", 0, 1, 0.0), b""
        whole = assemble(command.layers, command.files, asked.width, asked.height)
        data = document.write_bytes(whole, asked.file)
        name = f"{asked.job}-{os.getpid()}"
        (self._incoming / name).write_bytes(data)
        notes = document.losses(whole, asked.file)
        title = f"{file_stem(command.layers[0].name, 'layers')}.{asked.file}"
        yield MadeFile(File(asked.job, title, len(data), content_id(data), notes), name), b""
        yield Done(asked.job, notes), b""


def _flattened(
    nodes: Sequence[document.Node], job: str, groups: tuple[Group, ...] = ()
) -> Iterator[tuple[document.Layer, tuple[Group, ...]]]:
    """Layers bottom to top, each with the groups it lies in; a group's id is its path of positions."""
    for position, node in enumerate(nodes):
        if isinstance(node, document.Layer):
            yield node, groups
        else:
            path = f"{groups[-1].id if groups else job}/{position}"
            group = Group(path, node.name, node.visible, node.opacity, node.blend_mode)
            yield from _flattened(node.children, job, (*groups, group))


def assemble(
    layers: Sequence[Layer], files: Mapping[str, Mapping[str, Any]], width: int | None, height: int | None
) -> document.Document:
    """A document of these layers, jobs one above the other. Without a size, the canvas is the smallest that holds everything,
    and then the layers move so that nothing lies outside."""
    left = min(layer.box.x for layer in layers) if width is None else 0
    top = min(layer.box.y for layer in layers) if height is None else 0
    jobs = list(dict.fromkeys(layer.job for layer in layers))
    return document.Document(
        width or max(layer.box.right for layer in layers) - left,
        height or max(layer.box.bottom for layer in layers) - top,
        nested(
            sorted(layers, key=lambda layer: (jobs.index(layer.job), layer.order)),
            lambda layer: layer.group,
            lambda layer: _document_layer(layer, files, layer.x - left, layer.y - top),
            document_group,
        ),
    )


def document_group(group: Group, children: Sequence[document.Node]) -> document.Node:
    """A group of the protocol as a group of a document."""
    return document.Group(group.name, children, group.opacity, group.blend_mode, group.visible)


def _document_layer(layer: Layer, files: Mapping[str, Mapping[str, Any]], x: int, y: int) -> document.Node:
    rgba: Pixels = np.zeros((0, 0, 4), np.uint8)
    if layer.bytes and layer.format == "rgba16":
        rgba = cast(RGBA16, to_deep(Path(files[layer.sha256]["path"]).read_bytes(), layer.format, layer.width, layer.height))
    elif layer.bytes:
        data = Path(files[layer.sha256]["path"]).read_bytes()
        rgba = to_rgba8(data, layer.format, layer.width, layer.height, f"the layer “{layer.name}”")
    return document.Layer(
        rgba, x, y, layer.name, layer.role, layer.opacity, layer.blend_mode, layer.visible, dict(layer.parameters)
    )
