"""How an `upscale` is done, as plain values: what `Request.upscaling` says, with the defaults for what it does not.

Knows names; knows no picture and no network. What is right is in `acetate.vocabulary.upscaling`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from acetate.vocabulary.upscaling import AlphaMethod, ColourMethod, Mode

from .tiles import Tiling


@dataclasses.dataclass(frozen=True, kw_only=True)
class UpscaleOptions:
    """What `Request.upscaling` says, and the defaults for what it does not."""

    mode: Mode | None = None
    """`None`: `redraw` where the model has a plain VAE and the strength is not 0, else `enlarge`."""
    alpha: AlphaMethod = "auto"
    colour: ColourMethod = "source"
    given: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of `Tiling` that were asked for."""

    def tiling(self, native: int) -> Tiling:
        """Tiles of the model's native size, unless others were asked for."""
        return Tiling(**{"tile_width": native, "tile_height": native, **self.given})


def options_of(values: Mapping[str, Any]) -> UpscaleOptions:
    """The options of a checked request."""
    own = {name: value for name, value in values.items() if name in ("mode", "alpha", "colour")}
    return UpscaleOptions(**own, given={name: value for name, value in values.items() if name not in own})
