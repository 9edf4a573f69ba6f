"""`acetate layers`: what a layered file holds."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from acetate import document
from acetate.vocabulary.names import file_stem

from ..command_line import json_option


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the file, and what to do with its layers."""
    parser.add_argument("file", type=Path, help="a .psd, .ora or .png")
    parser.add_argument("--extract", type=Path, metavar="DIR", help="write every layer as a PNG into this folder")
    json_option.add_option(parser)


def run(options: argparse.Namespace) -> int:
    """List the layers, top one first as in the editors; extract them on request."""
    read = document.read(options.file)
    if options.extract:
        _extract(read, options.extract)
    rows = [_row(node) for node in reversed(read.layers)]
    if options.json:
        print(json.dumps({"width": read.width, "height": read.height, "layers": rows, "notes": list(read.notes)}, indent=2))
        return 0
    print(f"{options.file}: {read.width} x {read.height}")
    _print(rows, 1)
    for note in read.notes:
        print(f"note: {note}")
    return 0


def _row(node: document.Node) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": node.name,
        "visible": node.visible,
        "opacity": round(node.opacity, 4),
        "blend_mode": node.blend_mode,
    }
    if isinstance(node, document.Group):
        return {**row, "layers": [_row(child) for child in reversed(node.children)]}
    height, width = node.rgba.shape[:2]
    return {
        **row,
        "x": node.x,
        "y": node.y,
        "width": width,
        "height": height,
        "role": node.role,
        "parameters": dict(node.parameters),
    }


def _print(rows: list[dict[str, Any]], depth: int) -> None:
    for row in rows:
        hidden = "" if row["visible"] else "  (hidden)"
        if "layers" in row:
            print(f"{'  ' * depth}{row['name']}/{hidden}")
            _print(row["layers"], depth + 1)
        else:
            print(f"{'  ' * depth}{row['name']}  {row['width']} x {row['height']} at {row['x']}, {row['y']}{hidden}")


def _extract(read: document.Document, folder: Path) -> None:
    """Write every layer, even a hidden one, on its own canvas-sized sheet, numbered from the bottom.

    Its opacity is worked into its alpha; its blend mode and the look of its groups are not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    layers = [node for node in document.walk(read.layers) if isinstance(node, document.Layer)]
    for number, layer in enumerate(layers, 1):
        sheet = document.Document(read.width, read.height, (replace(layer, visible=True),))
        document.write(sheet, folder / f"{number:02d} {file_stem(layer.name, 'layer')}.png")
