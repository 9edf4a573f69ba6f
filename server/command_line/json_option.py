"""`--json`, which every command that says anything takes: its answer as one JSON value on standard output.

Errors stay sentences on standard error, with the exit code: a program that reads the answer finds none where there was one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from typing import Any


def add_option(parser: argparse.ArgumentParser, actions: Iterable[argparse.ArgumentParser] = ()) -> None:
    """Add the option to a command and to the words that it knows: it may stand before or after them."""
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    for action in actions:
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print the answer as JSON")


def tell(options: argparse.Namespace, answer: Any, lines: Iterable[str]) -> None:
    """Print the answer, or its lines for a person."""
    if options.json:
        print(json.dumps(answer, indent=2))
    else:
        for line in lines:
            print(line)
