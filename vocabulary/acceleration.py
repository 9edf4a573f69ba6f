"""The ways in which networks can be run: what `--acceleration` takes."""

from typing import Literal, get_args

Acceleration = Literal["auto", "eager", "recorded", "compiled", "check"]
"""`eager` calls every network as it is written; `recorded` plays its kernels from the second call of a shape on; `compiled` has a
UNet's blocks compiled in the background as well; `check` runs both the recorded and the eager way, reports where they differ, and
draws the eager result. `auto` is `recorded`."""
ACCELERATIONS: tuple[Acceleration, ...] = get_args(Acceleration)
