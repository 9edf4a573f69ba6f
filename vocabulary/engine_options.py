"""How an engine is made, besides on which device: a row for each option, of the name that settings and the command line have."""

from collections.abc import Mapping
from typing import Literal, get_args

Acceleration = Literal["auto", "eager", "recorded", "compiled", "check"]
"""The ways in which networks can be run: `eager` calls every network as it is written; `recorded` plays its kernels from the
second call of a shape on; `compiled` has a UNet's blocks compiled in the background as well; `check` runs both the recorded and
the eager way, reports where they differ, and draws the eager result. `auto` is `recorded`."""
ACCELERATIONS: tuple[Acceleration, ...] = get_args(Acceleration)
Dtype = Literal["auto", "float32", "float16", "bfloat16"]
"""The type of networks' arithmetic. `auto` is float32 on a CPU, and float16 on cards unless they are known to fail in it."""
DTYPES: tuple[Dtype, ...] = get_args(Dtype)

ENGINE_OPTIONS: Mapping[str, tuple[str, ...]] = {"acceleration": ACCELERATIONS, "dtype": DTYPES}
"""Name -> values, of which `auto` is the default of each; `--NAME` on the command line."""
