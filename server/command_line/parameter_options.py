"""The options of a command that are parameters of a request: flags, types, choices and help from the vocabulary's rows."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import partial
from typing import Any

from acetate.vocabulary.parameters import PARAMETERS
from acetate.vocabulary.tasks import TASKS
from acetate.vocabulary.value_types import Choice, Flag, Number, Whole

from .option_names import RENAMED

PLACEHOLDERS = {
    "model": "NAME",
    "upscaler": "NAME|FILE",
    "negative_prompt": "PROMPT",
    "guidance_scale": "SCALE",
    "layer_weight": "WEIGHT",
    "stop_at": "SHARE",
}
"""What stands for the value in the help, if not the option's name."""


def add(parser: argparse.ArgumentParser, names: Iterable[str], *, of_one_task: bool = False) -> None:
    """Add an option for each of these parameters. One not given is `None`; numbers are checked with the request, not here.

    The help names the tasks that heed it where they are few, unless the command is for one task anyway.
    """
    for name in names:
        row = PARAMETERS[name]
        heeding = [task for task, about in TASKS.items() if name in about.parameters]
        help = f"{', '.join(heeding)}: {row.help}" if len(heeding) < 4 and not of_one_task else row.help
        flag = RENAMED.get(name, f"--{name.replace('_', '-')}")
        if isinstance(row.type, Flag):
            parser.add_argument(flag, dest=name, action="store_true", default=None, help=help)
            continue
        more: dict[str, Any] = {"metavar": PLACEHOLDERS[name]} if name in PLACEHOLDERS else {}
        if isinstance(row.type, Choice):
            more |= {"choices": row.type.choices, "type": partial(_chosen, row.type.choices)}
        elif isinstance(row.type, (Whole, Number)):
            more["type"] = int if isinstance(row.type, Whole) else float
        default = f" (default: {row.default:g})" if isinstance(row.default, (int, float)) else ""
        default = f" (default: {row.default})" if isinstance(row.default, str) and row.default else default
        parser.add_argument(flag, dest=name, help=help + default, **more)


def _chosen(choices: tuple[Any, ...], text: str) -> Any:
    """The choice that `text` writes; the text itself, which is none, for any other."""
    return next((choice for choice in choices if str(choice) == text), text)


def said(options: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """The parameters that were given as options."""
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}
