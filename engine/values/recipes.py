"""Which weights, conditions and frames make which layers: one denoising run as a row of data.

Knows names and order (layerdiffuse.md 4.1, 5.1, 5.3, 6); knows no network. Each family states its own runs (`families`).
"""

from __future__ import annotations

from dataclasses import dataclass

from acetate.vocabulary.roles import Role


@dataclass(frozen=True)
class Recipe:
    """One denoising run."""

    frames: tuple[Role, ...]
    """The layers that come out of one run, in batch order."""
    weights: str | None
    """The catalogue role of the weight file that the UNet carries; `None` runs the UNet as it is."""
    conditions: tuple[Role, ...] = ()
    """Pictures that the run sees, in channel order: given by the request or made by an earlier run."""
    transparent: bool = False
    """The foreground frame is decoded to RGBA."""
    sharing: bool = False
    """The weights are attention-sharing units, not patches."""
    convolution: str | None = None
    """The catalogue role that takes the place of `weights` where the request asks for injection `convolution`."""
    sees: bool = False
    """The model sees the source and the references beside the layer, which it draws from noise."""
    words: str = "{}"
    """What the model is told, around the prompt."""
    unsaid: str = ""
    """What an empty prompt stands for."""
    cuts_out: bool = False
    """The layer is a part of the source: it keeps its colours where it is opaque."""
