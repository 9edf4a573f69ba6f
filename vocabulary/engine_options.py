"""How an engine is made, besides on which device: a row for each option, of the name that settings and the command line have."""

from collections.abc import Mapping
from typing import Literal, get_args

from .acceleration import ACCELERATIONS

Dtype = Literal["auto", "float32", "float16", "bfloat16"]
"""The type of networks' arithmetic. `auto` is float32 on a CPU, and float16 on cards unless they are known to fail in it."""
DTYPES: tuple[Dtype, ...] = get_args(Dtype)

ENGINE_OPTIONS: Mapping[str, tuple[str, ...]] = {"acceleration": ACCELERATIONS, "dtype": DTYPES}
"""Name -> values, of which `auto` is the default of each; `--NAME` on the command line."""
