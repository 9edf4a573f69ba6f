"""`acetate upscale`: a transparent layer enlarged, colour and alpha each in its own way."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, cast

from acetate.engine import Request
from acetate.raster import RGBA16, Pixels, to_8_bits
from acetate.vocabulary.layered_files import WRITTEN, choice
from acetate.vocabulary.tasks import TASKS
from acetate.vocabulary.upscaling import HELP, OPTIONS
from acetate.vocabulary.value_types import Choice

from ..command_line import drawing, outputs, parameter_options
from ..command_line.drawing import Drawing
from ..command_line.pictures import read_layer
from ..command_line.progress import shown
from .generate import report, size

TASK = next(name for name, task in TASKS.items() if task.enlarges)
PLAIN = ("scale", "upscaler", "strength", "lock_alpha", "model", "steps", "seed")
"""The parameters that have an option of their own name."""
MODES = ("mode", "alpha", "colour", "seams")
"""The options of `upscaling` that have an option of their own name."""
FURTHER = sorted(set(OPTIONS) - set(MODES))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the layer, how large it becomes, and by which means."""
    parser.add_argument("source", type=Path, help="the layer: any picture file")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=f"a {choice(WRITTEN)} to write")
    parser.add_argument("--size", type=size, metavar="WIDTHxHEIGHT", help="the target size instead of a factor")
    for name in MODES:
        kind = OPTIONS[name]
        assert isinstance(kind, Choice)
        parser.add_argument(f"--{name}", choices=kind.choices, help=HELP[name])
    further: dict[str, Any] = {"dest": "further", "action": "append", "default": [], "type": setting}
    parser.add_argument("--set", metavar="NAME=VALUE", help=f"one of {', '.join(FURTHER)}", **further)
    parser.add_argument("--prompt", default="", help="what the layer shows, for a redraw")
    parameter_options.add(parser, PLAIN, of_one_task=True)
    drawing.add_options(parser)
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")


def run(options: argparse.Namespace) -> int:
    """Enlarge, show progress, write the file."""
    target = outputs.OutputFile(options.output)
    notes: list[str] = []
    source, name = read_layer(options.source, notes)
    pictures = list(shown(Drawing(options).events(_request(options, source)), quiet=options.json))
    report(target.write(pictures, notes=notes, name=name), pictures, notes, as_json=options.json)
    return 0


def setting(text: str) -> tuple[str, Any]:
    """`padding=64` -> ("padding", 64): a number, true, false or a word. Raises `ArgumentTypeError` without a `=`."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} sets nothing; write NAME=VALUE, such as padding=64")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _request(options: argparse.Namespace, source: Pixels) -> Request:
    upscaling = parameter_options.said(options, MODES) | dict(options.further)
    asked: dict[str, Any] = parameter_options.said(options, PLAIN)
    if options.size:
        asked["width"], asked["height"] = options.size
    if options.upscaler is not None and Path(options.upscaler).is_file():
        asked["upscaler"] = str(Path(options.upscaler).absolute())
    narrow = to_8_bits(source)
    deep = None if narrow is source else cast(RGBA16, source)
    return Request(task=TASK, prompt=options.prompt, source=narrow, deep_source=deep, upscaling=upscaling, **asked)
