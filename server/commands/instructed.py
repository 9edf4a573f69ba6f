"""The commands whose words say what becomes of one picture: options, request and files of all of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from acetate.engine import Request
from acetate.vocabulary.layered_files import WRITTEN, choice
from acetate.vocabulary.tasks import TASKS

from ..command_line import drawing, outputs, parameter_options
from ..command_line.drawing import Drawing
from ..command_line.pictures import read_mask, read_picture
from ..command_line.progress import shown
from .generate import add_references, report


def add_options(parser: argparse.ArgumentParser, task: str, words: str) -> None:
    """Add the picture, the words, whose help is `words`, and what the row of `task` takes besides."""
    row = TASKS[task]
    parser.add_argument("source", type=Path, help="the picture or layer: any picture file")
    parser.add_argument("prompt", help=words, nargs=None if row.needs_prompt else "?", default="")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=f"a {choice(WRITTEN)} to write")
    if "mask" in row.optional:
        parser.add_argument("--mask", type=Path, metavar="FILE", help="a picture whose white parts alone are meant")
    if "references" in row.optional:
        add_references(parser)
    parameter_options.add(parser, _plain(task), of_one_task=True)
    drawing.add_options(parser)
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")


def run(options: argparse.Namespace, task: str) -> int:
    """Draw, show progress, write the file."""
    target = outputs.OutputFile(options.output)
    notes: list[str] = []
    request = request_of(options, task, notes)
    pictures = list(shown(Drawing(options).events(request), quiet=options.json))
    report(target.write(pictures, notes=notes), pictures, notes, as_json=options.json)
    return 0


def request_of(options: argparse.Namespace, task: str, notes: list[str]) -> Request:
    """The request that the options ask for; what its pictures lost in reading is added to `notes`. Raises `DocumentError`."""
    asked: dict[str, Any] = parameter_options.said(options, _plain(task))
    if getattr(options, "mask", None) is not None:
        asked["mask"] = read_mask(options.mask, notes)
    if getattr(options, "references", None):
        asked["references"] = tuple(read_picture(path, notes) for path in options.references)
    return Request(task=task, prompt=options.prompt, source=read_picture(options.source, notes), **asked)


def _plain(task: str) -> list[str]:
    """The parameters that have an option of their own name."""
    return [name for name in TASKS[task].parameters if name != "prompt"]
