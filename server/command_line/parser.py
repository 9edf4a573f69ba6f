"""The command line's parser: argparse, with errors in the form that all others have. Knows argparse's words; knows no command."""

from __future__ import annotations

import argparse
import difflib
import re
from typing import NoReturn

CLEARER = (
    (r"argument COMMAND: invalid choice: (.*) \(choose from .*\)", r"there is no command \1"),
    (r"argument (.+?): invalid int value: (.*)", r"\1 is \2; it must be a whole number"),
    (r"argument (.+?): invalid float value: (.*)", r"\1 is \2; it must be a number"),
    (r"argument (.+?): invalid choice: (.*) \(choose from (.*)\)", r"\1 is \2; it must be one of \3"),
    (r"argument (.+?): (.*)", r"\1: \2"),
)
"""What argparse says -> a line with the value and what would be right."""


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line; the usage, which may fill a screen, is left to `--help`."""

    def error(self, message: str) -> NoReturn:
        """Print the error and end the program with code 2."""
        clearer = (re.sub(pattern, text, message) for pattern, text in CLEARER if re.fullmatch(pattern, message))
        self.exit(2, f"acetate: {next(clearer, message)}\n         {_nearest(message)}see {self.prog} --help\n")


def _nearest(message: str) -> str:
    """Which of the right words is meant by one that is nearly right; empty where none is."""
    found = re.fullmatch(r"argument .+?: invalid choice: '(.*)' \(choose from (.*)\)", message)
    near = difflib.get_close_matches(found[1], [word.strip("' ") for word in found[2].split(",")], n=1) if found else ()
    return f"did you mean {near[0]!r}? " if near else ""
