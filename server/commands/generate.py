"""`acetate generate`: a request from the command line, pictures into files."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from acetate.engine import TASKS, Picture, Progress, Request, builtin
from acetate.engine.values.parameters import from_json
from acetate.engine.values.request import Injection, LayerPrompts, ResizeMode

from . import outputs
from .exit_codes import UsageError
from .into_document import Onto, onto_of
from .into_document import add_options as add_onto_options
from .pictures import read_mask, read_picture
from .progress import shown

PICTURES = ("source", "foreground", "background", "blended")

EPILOG = """pictures that a task takes:
  background            --foreground
  object                --background
  blend                 --foreground or --background (SDXL)
  extract-background    --foreground and --blended (SDXL)
  extract-foreground    --background and --blended (SDXL)
  refine, upscale       --layer
  repaint               --layer and --mask
Of the others all but foreground also take --layer: a rough version of their result to begin from.
A .psd or .ora of background, object and extract-... has the given layer in it as well."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of design.md."""
    parser.add_argument("prompt", nargs="?", help="what to draw; describe only the object for a transparent layer")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="a .png, .psd or .ora to write; --count numbers PNGs"
    )
    parser.add_argument("--from", dest="origin", type=Path, metavar="FILE", help="repeat what this PNG was generated with")
    parser.add_argument("--task", choices=TASKS, help="what to make (default: foreground)")
    parser.add_argument("--model", metavar="NAME", help=f"see `acetate models`; the built-in one is {builtin.NAME}")
    parser.add_argument("--size", type=size, metavar="WIDTHxHEIGHT", help="any size in pixels, such as 640x480")
    parser.add_argument("--steps", type=int, help="denoising steps")
    parser.add_argument("--guidance", dest="guidance_scale", type=float, metavar="SCALE", help="how closely to follow the prompt")
    parser.add_argument("--scheduler", metavar="NAME", help="dpmpp-2m-karras, dpmpp-2m-sde-karras, euler, euler-a, unipc or lcm")
    parser.add_argument("--seed", type=int, help="the same seed gives the same picture (default: 0)")
    parser.add_argument("--count", type=int, help="pictures, with seeds that count up")
    parser.add_argument("--negative", dest="negative_prompt", metavar="PROMPT", help="what to avoid")
    parser.add_argument("--strength", type=float, help="how far to go from --layer, 0 to 1")
    parser.add_argument("--lock-alpha", action="store_true", default=None, help="refine, repaint: keep the source's transparency")
    parser.add_argument(
        "--alpha-passes", type=int, choices=(1, 2, 4, 8), help="passes of the transparent decoder: fewer are faster"
    )
    parser.add_argument(
        "--layer", dest="source", type=Path, metavar="FILE", help="the layer to change, or a rough one to begin from"
    )
    parser.add_argument("--mask", type=Path, metavar="FILE", help="repaint: white may change")
    for role in PICTURES[1:]:
        parser.add_argument(f"--{role}", type=Path, metavar="FILE", help=f"a {role} picture as a condition")
        parser.add_argument(f"--{role}-prompt", metavar="PROMPT", help=f"a prompt for the {role} alone")
    parser.add_argument(
        "--layer-prompts",
        choices=get_args(LayerPrompts),
        help="such a prompt alone, or added before the main one (default: replace)",
    )
    parser.add_argument("--resize-mode", choices=get_args(ResizeMode), help="conditions of another size (default: crop)")
    parser.add_argument("--injection", choices=get_args(Injection), help="which SDXL foreground weights (default: attention)")
    parser.add_argument("--layer-weight", type=float, metavar="WEIGHT", help="strength of the LayerDiffuse weights (default: 1)")
    parser.add_argument("--stop-at", type=float, metavar="SHARE", help="the base model finishes after this share, 0 to 1")
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EPILOG
    add_onto_options(parser)
    parser.add_argument("--lora", action="append", metavar="NAME[:WEIGHT]", help="add a LoRA; may be given more than once")
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps or xpu; found by itself otherwise")
    parser.add_argument("--alone", action="store_true", help="do not use a running server")
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")


def run(options: argparse.Namespace) -> int:
    """Generate, show progress, write files."""
    notes: list[str] = []
    onto = onto_of(options)
    request = request_of(options, onto, notes)
    target = outputs.OutputFile(options.output)
    pictures = list(shown(events(request, options), quiet=options.json))
    if onto is None:
        written = target.write(pictures, outputs.given_layers(request, pictures[0]), notes=notes)
    else:
        pictures = [picture for picture in pictures if not picture.hidden]
        written = onto.write(pictures, target.path, notes)
    report(written, pictures, notes, as_json=options.json)
    return 0


def request_of(options: argparse.Namespace, onto: Onto | None, notes: list[str]) -> Request:
    """The request that the options ask for; what its pictures lost in reading is added to `notes`.

    Raises `UsageError`, `BadRequest` or `DocumentError` naming the wrong value.
    """
    request = from_json(outputs.parameters_of(options.origin)) if options.origin else Request()
    plain = (
        "task",
        "model",
        "steps",
        "guidance_scale",
        "scheduler",
        "seed",
        "count",
        "negative_prompt",
        "strength",
        "lock_alpha",
        "alpha_passes",
        "resize_mode",
        "layer_prompts",
        "injection",
        "layer_weight",
        "stop_at",
    )
    changes: dict[str, Any] = {name: getattr(options, name) for name in plain if getattr(options, name) is not None}
    if options.prompt is not None:
        changes["prompt"] = options.prompt
    elif not options.origin and options.task != "upscale":
        raise UsageError("the prompt is missing", 'say what to draw: acetate generate "a red apple" -o apple.png')
    if onto is not None:
        changes |= onto.conditions(options.task, notes)
    if options.size:
        changes["width"], changes["height"] = options.size
    for role in PICTURES:
        if getattr(options, role) is not None:
            changes[role] = read_picture(getattr(options, role), notes)
    prompts = {role: getattr(options, f"{role}_prompt") for role in PICTURES[1:] if getattr(options, f"{role}_prompt")}
    if prompts:
        changes["prompts"] = prompts
    if options.mask is not None:
        changes["mask"] = read_mask(options.mask, notes)
    if options.lora:
        changes["loras"] = tuple(lora(text) for text in options.lora)
    return replace(request, **changes)


def events(request: Request, options: argparse.Namespace) -> Iterator[Progress | Picture]:
    """From a running server when there is one (its models are warm), else from an engine of our own: the same bytes."""
    if not options.alone and options.device is None:
        from .remote import running_server

        server = running_server()
        if server is not None:
            return server.generate(request)
    from acetate.engine.engine import Engine

    return Engine(options.device).run(request)


def report(written: Sequence[Path], pictures: Sequence[Picture], notes: Sequence[str], *, as_json: bool) -> None:
    """Say where the files are, what is wrong with them, and what reading and writing could not keep."""
    notes = tuple(dict.fromkeys(notes))
    if as_json:
        rows = [{**described(p), "notes": notes, "file": str(f)} for f, p in zip(written, pictures, strict=False)]
        print(json.dumps(rows if len(rows) != 1 else rows[0], indent=2))
        return
    for path in dict.fromkeys(written):
        print(path)
    for picture in pictures:
        for warning in picture.warnings:
            print(f"acetate: seed {picture.seed}: {warning}", file=sys.stderr)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def described(picture: Picture) -> dict[str, Any]:
    """What `--json` prints of a picture."""
    height, width = picture.rgba.shape[:2]
    return {
        "role": picture.role,
        "seed": picture.seed,
        "width": width,
        "height": height,
        "parameters": dict(picture.parameters),
        "quality": {name: round(value, 4) for name, value in picture.quality.items()},
        "warnings": list(picture.warnings),
    }


def size(text: str) -> tuple[int, int]:
    """`640x480` -> (640, 480)."""
    width, cross, height = text.lower().partition("x")
    if not cross or not width.isdecimal() or not height.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write WIDTHxHEIGHT, such as 640x480")
    return int(width), int(height)


def lora(text: str) -> tuple[str, float]:
    """`name:0.8` -> (name, 0.8); the weight is 1 when it is not said."""
    name, colon, weight = text.rpartition(":")
    if not colon:
        return text, 1.0
    try:
        return name, float(weight)
    except ValueError:
        raise UsageError(f"--lora {text!r}: {weight!r} is not a weight", "write NAME:WEIGHT, such as ink:0.8") from None
