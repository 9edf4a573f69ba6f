"""How a layer is made larger: the options of an enlargement with their ranges, and the words for its modes.

The tiles are those of Ultimate SD Upscale (layerdiffuse.md 9.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from .value_types import Choice, Number, ValueType, Whole

Mode = Literal["enlarge", "redraw", "refine"]
"""Interpolation or a network alone; or, after it, img2img: of the colour by the unpatched base model, or of the layer itself."""
AlphaMethod = Literal["auto", "lanczos", "network"]
"""How alpha is enlarged: on its own by interpolation, or as a grey picture by the network that enlarges the colour, which is
better for glass and smoke and worse for hair; `auto` goes by how soft the layer is."""
ColourMethod = Literal["source", "network"]
"""Whose the colour is after a network: the source's, with the network's detail; or as the network answered."""
TileOrder = Literal["linear", "chess", "none"]
Seams = Literal["none", "band", "half-tile", "intersections"]

OPTIONS: Mapping[str, ValueType] = {
    "mode": Choice(get_args(Mode)),
    "alpha": Choice(get_args(AlphaMethod)),
    "colour": Choice(get_args(ColourMethod)),
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

HELP: Mapping[str, str] = {
    "mode": "only enlarge, redraw the colour, or refine the layer itself",
    "alpha": "how alpha is enlarged beside an upscaler: network for glass and smoke, lanczos for hair; auto sees how soft it is",
    "colour": "after an upscaler: the source's colour with its detail, or all as the network answered",
    "order": "the order in which tiles are redrawn",
    "seams": "how the borders of tiles are redrawn afterwards",
    "uniform": "tiles of one size, also at the borders",
    "multiple_of": "what a tile's sides are rounded to",
    "tile_width": "the model's own size unless given",
    "tile_height": "the model's own size unless given",
    "padding": "how much of its surroundings a tile sees",
    "mask_blur": "the soft border of a tile",
    "seam_width": "the strip that is redrawn along a border",
    "seam_blur": "the strip's own soft border",
    "seam_padding": "how much of its surroundings the strip sees",
    "seam_strength": "the strip's own strength",
}
"""What each option does, for a person."""
