"""`acetate decompose`: a picture taken apart into a subject and what is behind it, which together show it exactly."""

from __future__ import annotations

import argparse

from . import instructed

TASK = "decompose"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the picture and the words that name the subject."""
    instructed.add_options(parser, TASK, 'what to take out, such as "the kite"; else the main subject')


def run(options: argparse.Namespace) -> int:
    """Take it apart, show progress, write the file."""
    return instructed.run(options, TASK)
