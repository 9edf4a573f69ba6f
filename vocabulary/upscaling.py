"""How a layer is made larger: the options of an enlargement with their ranges, and the words for its modes.

The tiles are those of Ultimate SD Upscale (layerdiffuse.md 9.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from .value_types import Choice, Number, ValueType, Whole

Mode = Literal["enlarge", "redraw", "refine"]
"""Interpolation or a network alone; or, after it, img2img: of the colour by the unpatched base model, or of the layer itself."""
AlphaMethod = Literal["lanczos", "network"]
"""How alpha is enlarged: on its own by interpolation, or as a grey picture by the network that enlarges the colour."""
TileOrder = Literal["linear", "chess", "none"]
Seams = Literal["none", "band", "half-tile", "intersections"]

OPTIONS: Mapping[str, ValueType] = {
    "mode": Choice(get_args(Mode)),
    "alpha": Choice(get_args(AlphaMethod)),
    "order": Choice(get_args(TileOrder)),
    "seams": Choice(get_args(Seams)),
    "uniform": Choice((True, False)),
    "multiple_of": Choice((64, 8)),
    "tile_width": Whole(64, 4096),
    "tile_height": Whole(64, 4096),
    "padding": Whole(0, 512),
    "mask_blur": Whole(0, 64),
    "seam_width": Whole(8, 512),
    "seam_blur": Whole(0, 64),
    "seam_padding": Whole(0, 512),
    "seam_strength": Number(0, 1),
}
"""What `upscaling` may hold. Sides and widths are in pixels."""
