"""`acetate layers`: what a layered file holds."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from acetate import document
from acetate.vocabulary.layered_files import READ, choice
from acetate.vocabulary.names import file_stem

from ..command_line import json_option


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the file, and what to do with its layers."""
    parser.add_argument("file", type=Path, help=f"a layered file ({choice(READ)}) or a picture")
    parser.add_argument("--extract", type=Path, metavar="DIR", help="write every layer as a PNG into this folder")
    json_option.add_option(parser)


def run(options: argparse.Namespace) -> int:
    """List the layers, top one first as in the editors; extract them on request."""
    if options.extract:
        read = document.read(options.file)
        _extract(read, options.extract)
    found = document.outline(options.file)
    rows = [_row(entry) for entry in reversed(found.entries)]
    if options.json:
        print(json.dumps({"width": found.width, "height": found.height, "layers": rows, "notes": list(found.notes)}, indent=2))
        return 0
    print(f"{options.file}: {found.width} x {found.height}")
    _print(rows, 1)
    for note in found.notes:
        print(f"note: {note}")
    return 0


def _row(entry: document.Entry) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": entry.name,
        "visible": entry.visible,
        "opacity": round(entry.opacity, 4),
        "blend_mode": entry.blend_mode,
        "has": list(entry.has),
    }
    if entry.children is not None:
        return {**row, "layers": [_row(child) for child in reversed(entry.children)]}
    place = {"x": entry.box.x, "y": entry.box.y, "width": entry.box.width, "height": entry.box.height}
    return {**row, **place, "role": entry.role, "parameters": dict(entry.parameters)}


def _print(rows: list[dict[str, Any]], depth: int) -> None:
    for row in rows:
        group = "layers" in row
        look = [] if row["blend_mode"] == (document.PASS_THROUGH if group else "normal") else [row["blend_mode"]]
        look += [] if row["opacity"] == 1 else [f"{row['opacity']:.0%}"]
        look += row["has"] + ([] if row["visible"] else ["hidden"])
        size = "/" if group else f"  {row['width']} x {row['height']} at {row['x']}, {row['y']}"
        print(f"{'  ' * depth}{row['name']}{size}" + (f"  ({', '.join(look)})" if look else ""))
        _print(row["layers"] if group else [], depth + 1)


def _extract(read: document.Document, folder: Path) -> None:
    """Write every layer, even a hidden one, on its own canvas-sized sheet, numbered from the bottom.

    Its opacity and mask are worked into its alpha; its blend mode, what it is clipped to and the look of its groups are not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    nodes = (node for node in document.walk(read.layers) if not isinstance(node, document.Adjustment))
    layers = [node for node in nodes if isinstance(node, document.Layer)]
    for number, layer in enumerate(layers, 1):
        sheet = document.Document(read.width, read.height, (replace(layer, visible=True),))
        document.write(sheet, folder / f"{number:02d} {file_stem(layer.name, 'layer')}.png")
