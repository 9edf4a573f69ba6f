"""How an `upscale` is done, as plain values: what `Request.upscaling` may hold, checked before anything is loaded.

Knows names and ranges; knows no picture and no network.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, get_args

from ..values.errors import BadRequest
from .tiles import Seams, TileOrder, Tiling

Mode = Literal["enlarge", "redraw", "refine"]
"""Interpolation or a network alone; or, after it, img2img: of the colour by the unpatched base model, or of the layer itself."""

AlphaMethod = Literal["lanczos", "network"]
"""How alpha is enlarged: on its own by interpolation, or as a grey picture by the network that enlarges the colour."""

CHOICES: Mapping[str, tuple[Any, ...]] = {
    "mode": get_args(Mode),
    "alpha": get_args(AlphaMethod),
    "order": get_args(TileOrder),
    "seams": get_args(Seams),
    "uniform": (True, False),
    "multiple_of": (64, 8),
}
RANGES: Mapping[str, tuple[int, int]] = {
    "tile_width": (64, 4096),
    "tile_height": (64, 4096),
    "padding": (0, 512),
    "mask_blur": (0, 64),
    "seam_width": (8, 512),
    "seam_blur": (0, 64),
    "seam_padding": (0, 512),
}
"""Whole pixels, least and most."""

NAMES = sorted([*CHOICES, *RANGES, "seam_strength"])


@dataclasses.dataclass(frozen=True, kw_only=True)
class UpscaleOptions:
    """What `Request.upscaling` says, and the defaults for what it does not."""

    mode: Mode | None = None
    """`None`: `redraw` where the model has a plain VAE and the strength is not 0, else `enlarge`."""
    alpha: AlphaMethod = "lanczos"
    given: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of `Tiling` that were asked for."""

    def tiling(self, native: int) -> Tiling:
        """Tiles of the model's native size, unless others were asked for."""
        return Tiling(**{"tile_width": native, "tile_height": native, **self.given})


def options_of(values: Mapping[str, Any]) -> UpscaleOptions:
    """Check what a request holds; raises `BadRequest` naming the first wrong value and what would be right."""
    for name, value in values.items():
        _check(name, value)
    tiling = {name: value for name, value in values.items() if name not in ("mode", "alpha")}
    return UpscaleOptions(mode=values.get("mode"), alpha=values.get("alpha", "lanczos"), given=tiling)


def _check(name: str, value: Any) -> None:
    if name in CHOICES:
        if not any(value is choice or type(value) is type(choice) and value == choice for choice in CHOICES[name]):
            raise BadRequest(f"upscaling: {name} is {value!r}; it must be one of {', '.join(map(str, CHOICES[name]))}")
        return
    if name == "seam_strength":
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise BadRequest(f"upscaling: {name} is {value!r}; it must be a number from 0 to 1")
        return
    if name not in RANGES:
        raise BadRequest(f"upscaling: unknown option {name!r}", f"one of {', '.join(NAMES)}")
    least, most = RANGES[name]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadRequest(f"upscaling: {name} is {value!r}; it must be a whole number from {least} to {most}")
