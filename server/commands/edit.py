"""`acetate edit`: a picture or layer changed as an instruction says; the rest of it stays as it is."""

from __future__ import annotations

import argparse

from . import instructed

TASK = "edit"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the picture, the instruction and further pictures that it speaks of."""
    instructed.add_options(parser, TASK, 'what to change, such as "make the apple green"')


def run(options: argparse.Namespace) -> int:
    """Change it, show progress, write the file."""
    return instructed.run(options, TASK)
