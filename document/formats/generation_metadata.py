"""The generation record: how each layer came about, as one JSON text that travels inside a file.

A courtesy, never relied on: GIMP drops it on saving, Krita keeps it in PSD. Knows how the text looks, not where it is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import UnwritableFile
from ..layer import Layer

VERSION = 1
KEY = "acetate"
"""The JSON's first key, and the keyword or member name under which formats keep the text."""

MAX_LENGTH = 2**24
"""Characters; longer texts are not ours."""


Id = int | str
"""What the file calls the layer: a PSD's layer id, the member's name in an OpenRaster."""


@dataclass(frozen=True)
class Entry:
    """The record of one layer."""

    name: str = ""
    role: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


def text(width: int, height: int, layers: Mapping[Id, Layer | Entry]) -> str:
    """The record as ASCII JSON, by the file's layer ids; empty without parameters. Raises `UnwritableFile` for other values."""
    entries = []
    for key, layer in layers.items():
        if layer.role or layer.parameters:
            entries.append({"id": key, "name": layer.name, "role": layer.role, "parameters": dict(layer.parameters)})
    if not entries:
        return ""
    try:
        return json.dumps({KEY: VERSION, "size": [width, height], "layers": entries}, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UnwritableFile(f"the generation parameters are not plain JSON values: {error}") from error


def parse(text: str) -> dict[Id, Entry]:
    """The entries by id; none for anything but an intact record of ours, as the file may come from anyone."""
    if len(text) > MAX_LENGTH:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or found.get(KEY) != VERSION or not isinstance(found.get("layers"), list):
        return {}
    items = [item for item in found["layers"] if isinstance(item, dict) and isinstance(item.get("id"), int | str)]
    return {item["id"]: _entry(item) for item in items}


def applied(layer: Layer, entry: Entry | None) -> Layer:
    """The layer with its role and parameters back."""
    return layer if entry is None else replace(layer, role=entry.role, parameters=entry.parameters)


def _entry(item: dict[str, Any]) -> Entry:
    name, role, parameters = item.get("name"), item.get("role"), item.get("parameters")
    return Entry(
        name=name if isinstance(name, str) else "",
        role=role if isinstance(role, str) else "",
        parameters=parameters if isinstance(parameters, dict) else {},
    )
