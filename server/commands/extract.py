"""`acetate extract`: a subject cut out of a picture, by words or by a mask, in the colours that it has there."""

from __future__ import annotations

import argparse

from . import instructed

TASK = "extract"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the picture and the words that name the subject."""
    instructed.add_options(parser, TASK, 'what to cut out, such as "the kite"; else the main subject')


def run(options: argparse.Namespace) -> int:
    """Cut it out, show progress, write the file."""
    return instructed.run(options, TASK)
