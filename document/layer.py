"""The value that every format is read into and written from: a canvas with a tree of layers and groups.

Pixels are straight alpha throughout (255, or of 16 bits 65535, = opaque, sRGB, colour kept under alpha 0). Knows no file format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from acetate import raster
from acetate.raster import Pixels
from acetate.vocabulary.box import Box

from .effects.style import Style
from .mask import Mask
from .metadata import LABELS, LOCKS, Metadata

if TYPE_CHECKING:
    from .composition.rgb_space import RGBSpace

BLEND_MODES = (
    "normal",
    "dissolve",
    "darken",
    "multiply",
    "color-burn",
    "linear-burn",
    "darker-color",
    "lighten",
    "screen",
    "color-dodge",
    "linear-dodge",
    "lighter-color",
    "overlay",
    "soft-light",
    "hard-light",
    "vivid-light",
    "linear-light",
    "pin-light",
    "hard-mix",
    "difference",
    "exclusion",
    "subtract",
    "divide",
    "hue",
    "saturation",
    "color",
    "luminosity",
)
"""The modes of PSD, by the names of Photoshop's menu (CSS's where both have one); `linear-dodge` is OpenRaster's *plus*."""

PASS_THROUGH = "pass-through"
"""Groups only: the children blend with what lies below the group, as if there were no group."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Pixels with a place on the canvas."""

    rgba: Pixels
    """`(H, W, 4)` uint8 or uint16 straight; may be empty (`(0, 0, 4)`), larger than the canvas, or outside it."""
    x: int = 0
    """Canvas column of the left edge; may be negative."""
    y: int = 0
    name: str = ""
    role: str = ""
    """`foreground`, `background` or `blended` for generated layers, else empty."""
    opacity: float = 1.0
    """In [0, 1]. PSD stores 256 steps of it."""
    blend_mode: str = "normal"
    """One of `BLEND_MODES`."""
    visible: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """JSON values from which the layer was generated; they travel inside the file."""
    mask: Mask | None = None
    clipped: bool = False
    """Shows only where the nearest unclipped layer or group below it does (`runs`); above none it is an ordinary layer."""
    blends_clipped: bool = True
    """The layers that are clipped to this one mix with it before it goes over what lies below; else each with all below it."""
    style: Style | None = None
    """Its effects: shadows, glows, strokes, overlays."""
    label: str = ""
    """The colour that marks it in the list, one of `LABELS`."""
    locks: frozenset[str] = frozenset()
    """What is protected from change, of `LOCKS`."""

    def __post_init__(self) -> None:
        if self.rgba.dtype not in (np.uint8, np.uint16) or self.rgba.ndim != 3 or self.rgba.shape[2] != 4:
            found = f"{self.rgba.dtype} {self.rgba.shape}"
            raise ValueError(f"the pixels of layer {self.name!r} are {found}; they must be uint8 or uint16 (height, width, 4)")
        _check_look(self.name, self.opacity, self.blend_mode, BLEND_MODES)
        _check_marks(self)

    @property
    def box(self) -> Box:
        return Box(self.x, self.y, self.rgba.shape[1], self.rgba.shape[0])


@dataclass(frozen=True, eq=False)
class Group:
    """Layers that are composed among themselves first, and then blended as one."""

    name: str = ""
    children: Sequence[Layer | Group] = ()
    """Bottom to top. Kept as a tuple."""
    opacity: float = 1.0
    blend_mode: str = "normal"
    """One of `BLEND_MODES`, or `PASS_THROUGH`."""
    visible: bool = True
    mask: Mask | None = None
    clipped: bool = False
    """As of a `Layer`."""
    blends_clipped: bool = True
    """As of a `Layer`."""
    style: Style | None = None
    """As of a `Layer`."""
    label: str = ""
    """As of a `Layer`."""
    locks: frozenset[str] = frozenset()
    """As of a `Layer`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "children", tuple(self.children))
        _check_look(self.name, self.opacity, self.blend_mode, (*BLEND_MODES, PASS_THROUGH))
        _check_marks(self)

    @property
    def box(self) -> Box:
        """The smallest box around all layers in the group, hidden ones too."""
        return reduce(Box.union, (node.box for node in self.children), Box(0, 0, 0, 0))


Node = Layer | Group


@dataclass(frozen=True, eq=False)
class Document:
    """A canvas and its layers."""

    width: int
    height: int
    layers: Sequence[Node] = ()
    """Bottom to top. Kept as a tuple."""
    notes: tuple[str, ...] = ()
    """What reading could not keep as it was, one sentence each, for the person."""
    metadata: Metadata = Metadata()
    space: RGBSpace | None = None
    """The RGB space in which the layers are blended; sRGB without one. Their pixels are sRGB all the same."""
    picture: Pixels | None = field(default=None, init=False)
    """`(height, width, 4)` straight: what the file stores as its look, where our composition looks different. Only reading knows
    it, and a document that is made from another one has none."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"the canvas is {self.width} x {self.height}; width and height must be at least 1")
        object.__setattr__(self, "layers", tuple(self.layers))

    @property
    def box(self) -> Box:
        return Box(0, 0, self.width, self.height)

    @property
    def depth(self) -> int:
        """Bits per channel, 8 or 16: that of its deepest layer, in which it is composed and written."""
        return depth_of(self.layers)

    def as_stored(self, picture: Pixels, note: str) -> Document:
        """The same document, which looks like the `(height, width, 4)` straight picture; `note` says so to the person."""
        document = replace(self, notes=(*self.notes, note))
        object.__setattr__(document, "picture", picture)
        return document


def depth_of(nodes: Sequence[Node]) -> int:
    """The most bits per channel, 8 or 16, that a layer among them has."""
    return 16 if any(isinstance(node, Layer) and node.rgba.dtype == np.uint16 for node in walk(nodes)) else 8


def walk(nodes: Sequence[Node]) -> Iterator[Node]:
    """Every layer and group, bottom to top, a group before its children."""
    for node in nodes:
        yield node
        if isinstance(node, Group):
            yield from walk(node.children)


def runs(nodes: Sequence[Node]) -> Iterator[tuple[Node, Sequence[Node]]]:
    """Each unclipped node of a list, bottom to top, with the clipped ones directly above it."""
    start = 0
    while start < len(nodes):
        end = start + 1
        while end < len(nodes) and nodes[end].clipped:
            end += 1
        yield nodes[start], nodes[start + 1 : end]
        start = end


def trim(layer: Layer) -> Layer:
    """Crop to the bounding box of alpha > 0; a fully transparent layer becomes empty. Hidden colour outside it is dropped."""
    trimmed = raster.trim(layer.rgba)
    if trimmed is None:
        return replace(layer, rgba=np.zeros((0, 0, 4), layer.rgba.dtype))
    rgba, box = trimmed
    return replace(layer, rgba=rgba, x=layer.x + box.x, y=layer.y + box.y)


def _check_look(name: str, opacity: float, blend_mode: str, modes: Sequence[str]) -> None:
    if not 0 <= opacity <= 1:
        raise ValueError(f"the opacity of {name!r} is {opacity}; it must be between 0 and 1")
    if blend_mode not in modes:
        raise ValueError(f"the blend mode of {name!r} is {blend_mode!r}; it must be one of {', '.join(modes)}")


def _check_marks(node: Node) -> None:
    if node.label not in ("", *LABELS):
        raise ValueError(f"the label of {node.name!r} is {node.label!r}; it must be empty or one of {', '.join(LABELS)}")
    if not node.locks <= set(LOCKS):
        raise ValueError(f"the locks of {node.name!r} are {', '.join(sorted(node.locks))}; they must be of {', '.join(LOCKS)}")
