"""What effects a layer has: plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from acetate.vocabulary.box import Box

from .paints import Paint

BELOW = ("drop shadow", "outer glow")
"""Kinds that lie under the layer, the lowest first."""
OVER = ("pattern overlay", "gradient overlay", "color overlay", "inner glow", "inner shadow")
"""Kinds that lie on the layer within its alpha, the lowest first; a stroke lies over them, or beside the layer."""
INTERIOR = OVER[:4]
"""Those that Photoshop's *Blend Interior Effects as Group* makes part of the pixels."""
POSITIONS = ("outside", "inside", "center")


@dataclass(frozen=True, eq=False)
class Effect:
    """One effect. Lengths are pixels."""

    kind: str
    """One of `BELOW` and `OVER`, or `stroke`."""
    paint: Paint
    opacity: float = 1.0
    blend_mode: str = "normal"
    size: float = 0.0
    """How far it reaches: the width of a stroke, the softness of the others."""
    spread: float = 0.0
    """In [0, 1]: how much of the size is solid."""
    range: float = 1.0
    """In (0, 1]: of a glow, the softened silhouette at which it is whole; Photoshop's dialog begins with 0.5."""
    distance: float = 0.0
    """How far a shadow lies from what casts it."""
    angle: float = 0.0
    """Where the light comes from: degrees, counter-clockwise, 0 = the right."""
    position: str = "outside"
    """Of a stroke: one of `POSITIONS`."""
    from_center: bool = False
    """Of an inner glow: it fades towards the edge."""
    concealed: bool = True
    """Of a drop shadow: it does not shine through its layer."""
    area: Box | None = None
    """What a gradient spans, if that is not the layer."""

    def __post_init__(self) -> None:
        if self.kind not in (*BELOW, *OVER, "stroke"):
            raise ValueError(f"the effect is {self.kind!r}; it must be one of {', '.join((*BELOW, *OVER, 'stroke'))}")
        if self.position not in POSITIONS:
            raise ValueError(f"the stroke lies {self.position!r}; it must be one of {', '.join(POSITIONS)}")

    @property
    def over(self) -> bool:
        """Whether any of it lies over the layer's pixels."""
        return self.kind in OVER or self.kind == "stroke" and self.position != "outside"


@dataclass(frozen=True, eq=False)
class Style:
    """The effects of a layer or group."""

    effects: Sequence[Effect]
    """Those of one kind in their order, the lowest first."""
    fill: float = 1.0
    """In [0, 1]: the opacity of the layer's own pixels, which does not fade its effects."""
    fades_interior: bool = False
    """It fades those of `INTERIOR` with the pixels."""
    within: Box | None = None
    """Of a group: the part whose effects are drawn, around the canvas; its layers may lie anywhere."""
    blocks: Sequence[tuple[bytes, bytes]] = ()
    """As a PSD holds them: keys and contents, to be written back."""

    @property
    def over(self) -> bool:
        """Whether anything lies over the layer's pixels."""
        return self.fill < 1 or any(
            one.kind in OVER or one.kind == "stroke" and one.position != "outside" for one in self.effects
        )
