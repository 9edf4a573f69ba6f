"""`acetate upscale`: a transparent layer enlarged, colour and alpha each in its own way."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from acetate.engine import RGBA, Request, builtin
from acetate.engine.pixels.upscale_options import CHOICES, NAMES

from . import outputs
from .generate import events, report, size
from .pictures import read_layer
from .progress import shown

FURTHER = [name for name in NAMES if name not in ("mode", "seams")]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The layer, how large it becomes, and by which means."""
    parser.add_argument("source", type=Path, help="the layer: any picture file")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="a .png, .psd or .ora to write")
    parser.add_argument("--scale", type=float, default=2.0, help="the factor, up to 16 (default: 2)")
    parser.add_argument("--size", type=size, metavar="WIDTHxHEIGHT", help="the target instead of a factor")
    parser.add_argument("--upscaler", metavar="NAME", help="an installed network, or a file; Lanczos without one")
    parser.add_argument("--mode", choices=CHOICES["mode"], help="enlarge alone, redraw the colour, or refine the layer itself")
    parser.add_argument("--seams", choices=CHOICES["seams"], help="how tile borders are gone over after a redraw")
    parser.add_argument(
        "--set",
        dest="further",
        action="append",
        default=[],
        type=setting,
        metavar="NAME=VALUE",
        help=f"one of {', '.join(FURTHER)}",
    )
    parser.add_argument("--prompt", default="", help="what the layer shows, for a redraw")
    parser.add_argument("--strength", type=float, help="how far a redraw may go, 0 to 1")
    parser.add_argument("--lock-alpha", action="store_true", help="mode refine: keep the enlarged layer's transparency")
    parser.add_argument("--model", default=builtin.NAME, metavar="NAME", help="the base model of a redraw; see `acetate models`")
    parser.add_argument("--steps", type=int, help="denoising steps of a redraw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps or xpu; found by itself otherwise")
    parser.add_argument("--alone", action="store_true", help="do not use a running server")
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")


def run(options: argparse.Namespace) -> int:
    """Enlarge, show progress, write the file."""
    target = outputs.OutputFile(options.output)
    notes: list[str] = []
    source, name = read_layer(options.source, notes)
    pictures = list(shown(events(_request(options, source), options), quiet=options.json))
    report(target.write(pictures, notes=notes, name=name), pictures, notes, as_json=options.json)
    return 0


def setting(text: str) -> tuple[str, Any]:
    """`padding=64` -> ("padding", 64): a number, true, false or a word."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} sets nothing; write NAME=VALUE, such as padding=64")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _request(options: argparse.Namespace, source: RGBA) -> Request:
    width, height = options.size or (None, None)
    said = {name: getattr(options, name) for name in ("mode", "seams") if getattr(options, name) is not None}
    upscaler = options.upscaler
    if upscaler is not None and Path(upscaler).is_file():
        upscaler = str(Path(upscaler).absolute())
    return Request(
        task="upscale",
        prompt=options.prompt,
        model=options.model,
        source=source,
        width=width,
        height=height,
        scale=options.scale,
        upscaler=upscaler,
        strength=options.strength,
        lock_alpha=options.lock_alpha,
        steps=options.steps,
        seed=options.seed,
        upscaling={**said, **dict(options.further)},
    )
