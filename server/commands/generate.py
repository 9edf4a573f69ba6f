"""`acetate generate`: a request from the command line, pictures into files."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from acetate.engine import Picture, Request
from acetate.engine.description import families_of
from acetate.engine.families import FAMILIES
from acetate.engine.prompt_language.lora_tags import extract_tags
from acetate.engine.values.errors import BadRequest
from acetate.engine.values.parameters import from_json
from acetate.vocabulary.layered_files import LAYERED, WRITTEN, choice
from acetate.vocabulary.parameters import PARAMETERS
from acetate.vocabulary.roles import PICTURES, ROLES
from acetate.vocabulary.tasks import DEFAULT, TASKS

from ..command_line import drawing, outputs, parameter_options
from ..command_line.drawing import Drawing
from ..command_line.exit_codes import UsageError
from ..command_line.into_document import Onto, onto_of
from ..command_line.into_document import add_options as add_onto_options
from ..command_line.option_names import in_options
from ..command_line.pictures import read_mask, read_picture
from ..command_line.progress import shown

OTHERWISE = frozenset({"prompt", "prompts", "width", "height", "loras"})
"""The parameters whose options have another form."""
PLAIN = tuple(
    name
    for name in PARAMETERS
    if name not in OTHERWISE and any(name in task.parameters for task in TASKS.values() if not task.enlarges)
)
"""The parameters that have an option of their own; those of an enlargement are the options of `acetate upscale`."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides the pictures: the task, its prompt and given pictures, the model and its numbers."""
    parser.add_argument("prompt", nargs="?", help=PARAMETERS["prompt"].help)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help=f"a {choice(WRITTEN)} to write; --count numbers PNGs"
    )
    parser.add_argument("--from", dest="origin", type=Path, metavar="FILE", help="repeat what this PNG was generated with")
    parser.add_argument("--task", choices=TASKS, help=f"what to make (default: {DEFAULT})")
    parser.add_argument("--size", type=size, metavar="WIDTHxHEIGHT", help="any size in pixels, such as 640x480")
    parameter_options.add(parser, PLAIN)
    parser.add_argument(
        "--layer", dest="source", type=Path, metavar="FILE", help="the layer to change, or a rough one to begin from"
    )
    parser.add_argument("--mask", type=Path, metavar="FILE", help="a picture whose white parts may change")
    add_references(parser)
    for role in ROLES:
        parser.add_argument(f"--{role}", type=Path, metavar="FILE", help=f"a {role} picture as a condition")
        parser.add_argument(f"--{role}-prompt", metavar="PROMPT", help=f"a prompt for the {role} alone")
    parser.add_argument("--lora", action="append", metavar="NAME[:UNET[:TEXT]]", help="add a LoRA; may be given more than once")
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, epilog()
    add_onto_options(parser)
    drawing.add_options(parser)
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")


def add_references(parser: argparse.ArgumentParser) -> None:
    """Add the option of the pictures that a prompt speaks of."""
    help = "edit: a picture that the prompt calls <image2>, the next one <image3>; the layer is <image1>"
    parser.add_argument("--reference", dest="references", action="append", type=Path, metavar="FILE", help=help)


def epilog() -> str:
    """The text below the options: which pictures every task takes."""
    lines = ["pictures that a task takes:"]
    for name, task in TASKS.items():
        options = [f"--{'layer' if one == 'source' else one}" for one in (task.needs or task.one_of)]
        able = families_of(name)
        only = "" if len(able) == len(FAMILIES) else f" ({', '.join(family.name for family in able)})"
        if options:
            lines.append(f"  {name:<20}  {(' or ' if task.one_of else ' and ').join(options)}{only}")
    alone = ", ".join(name for name, task in TASKS.items() if task.from_nothing)
    lines.append(f"All others except {alone} also take --layer, a rough version of their result to begin from.")
    lines.append(f"A {choice(LAYERED)} also gets the foreground or background that its task needed.")
    return "\n".join(lines)


def run(options: argparse.Namespace) -> int:
    """Generate, show progress, write files."""
    notes: list[str] = []
    onto = onto_of(options)
    request = request_of(options, onto, notes)
    target = outputs.OutputFile(options.output)
    pictures = list(shown(Drawing(options).events(request), quiet=options.json))
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
    request = _repeated(options) if options.origin else Request()
    changes = parameter_options.said(options, ("task", *PLAIN))
    if options.prompt is not None:
        changes["prompt"] = options.prompt
    elif not options.origin and TASKS[options.task or DEFAULT].needs_prompt:
        raise UsageError("the prompt is missing", 'say what to draw: acetate generate "a red apple" -o apple.png')
    if onto is not None:
        changes |= onto.conditions(options.task, notes)
    if options.size:
        changes["width"], changes["height"] = options.size
    for role in PICTURES:
        if getattr(options, role) is not None:
            changes[role] = read_picture(getattr(options, role), notes)
    prompts = {role: getattr(options, f"{role}_prompt") for role in ROLES if getattr(options, f"{role}_prompt")}
    if prompts:
        makes = TASKS[changes.get("task", request.task)].makes
        if unused := next((role for role in prompts if role not in makes), None):
            raise UsageError(f"--{unused}-prompt is for a layer that the task does not make", f"it makes {', '.join(makes)}")
        changes["prompts"] = prompts
    if options.references:
        changes["references"] = tuple(read_picture(path, notes) for path in options.references)
    if options.mask is not None:
        changes["mask"] = read_mask(options.mask, notes)
    if options.lora:
        changes["loras"] = tuple(lora(text) for text in options.lora)
    return replace(request, **changes)


def _repeated(options: argparse.Namespace) -> Request:
    """What a file was generated with, as far as the task that is asked for uses it."""
    asked = outputs.parameters_of(options.origin)
    row = TASKS.get(options.task or asked.get("task", DEFAULT))
    kept = {name: value for name, value in asked.items() if row is None or name not in PARAMETERS or name in row.parameters}
    return from_json(kept)


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
            print(f"acetate: seed {picture.seed}: {in_options(warning)}", file=sys.stderr)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def described(picture: Picture) -> dict[str, Any]:
    """What `--json` prints about a picture."""
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
    """`640x480` or `640×480` -> (640, 480). Raises `ArgumentTypeError` for other texts."""
    width, cross, height = text.lower().replace("×", "x").partition("x")
    if not cross or not width.isdecimal() or not height.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write WIDTHxHEIGHT, such as 640x480")
    return int(width), int(height)


def lora(text: str) -> tuple[Any, ...]:
    """`name`, `name:0.8`, `name:0.8:0.5` or anything else that a tag `<lora:…>` may hold -> an entry of `loras`.

    Raises `UsageError` for what is wrong.
    """
    try:
        found = extract_tags(f"<lora:{text}>")
    except BadRequest as error:
        wrong = str(error).replace(f"'<lora:{text}>'", f"--lora {text!r}")
        raise UsageError(wrong, "write NAME:WEIGHT, such as ink:0.8") from None
    if len(found.tags) != 1 or found.text:
        raise UsageError(f"--lora {text!r} is not a LoRA", "write NAME:WEIGHT, such as ink:0.8")
    return found.tags[0].entry
