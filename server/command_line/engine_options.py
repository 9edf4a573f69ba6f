"""`--acceleration` and `--dtype`: how networks are run, as `serve`, `generate`, `upscale` and `bench` take it."""

from __future__ import annotations

import argparse
from typing import Any

from acetate.engine import builtin
from acetate.vocabulary.engine_options import ENGINE_OPTIONS

from .exit_codes import UsageError

HELP = {
    "acceleration": (
        "how networks are run: eager calls them as they are written; recorded replays their kernels; compiled has a UNet's "
        "blocks compiled in the background as well, except on CUDA, where recorded is faster; check runs both eager and recorded "
        "and reports where they differ (default: auto, which is recorded)"
    ),
    "dtype": (
        "the type of networks' arithmetic (default: auto, which is float32 on a CPU, and on cards float16 unless they are known "
        "to fail in it); the built-in model always takes float32"
    ),
}


def add_options(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """Add the options, with `prefix` before their help."""
    for name, values in ENGINE_OPTIONS.items():
        parser.add_argument(f"--{name}", choices=values, default="auto", help=prefix + HELP[name])


def said(options: argparse.Namespace) -> dict[str, Any]:
    """The options that are not at their defaults, as `Engine` takes them."""
    return {name: value for name in ENGINE_OPTIONS if (value := getattr(options, name)) != "auto"}


def refuse_idle(options: argparse.Namespace, model: str) -> None:
    """Raise `UsageError` for an option that would change nothing for `model`."""
    if model == builtin.NAME and options.dtype not in ("auto", "float32"):
        raise UsageError(f"--dtype {options.dtype} would change nothing: {model} always takes float32", "leave it out")
