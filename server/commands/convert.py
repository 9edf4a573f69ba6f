"""`acetate convert`: a layered file in another format, with what could not be kept."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from acetate import document
from acetate.vocabulary.layered_files import READ, choice

from ..command_line import json_option


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the file to read and the file to write."""
    parser.add_argument("source", type=Path, help=f"a layered file ({choice(READ)}) or a picture")
    parser.add_argument("target", type=Path, help="the file to write; its suffix chooses the format")
    json_option.add_option(parser)


def run(options: argparse.Namespace) -> int:
    """Read, write, and name every loss."""
    read = document.read(options.source)
    notes = (*read.notes, *document.write(read, options.target))
    json_option.tell(options, {"file": str(options.target), "notes": list(notes)}, [str(options.target)])
    for note in () if options.json else notes:
        print(f"note: {note}", file=sys.stderr)
    return 0
