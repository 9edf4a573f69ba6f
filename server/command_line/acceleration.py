"""`--acceleration`: how networks are run, as `serve`, `generate` and `bench` take it."""

from __future__ import annotations

import argparse

from acetate.vocabulary.acceleration import ACCELERATIONS

HELP = (
    "how networks are run: eager calls them as they are written; recorded replays their kernels; compiled has a UNet's blocks "
    "compiled in the background as well, except on CUDA, where recorded is faster; check runs both eager and recorded and "
    "reports where they differ (default: auto, which is recorded)"
)


def add_option(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """Add the option, with `prefix` before its help."""
    parser.add_argument("--acceleration", choices=ACCELERATIONS, default="auto", help=prefix + HELP)
