"""A LoRA with its weights, for the UNet, for the text encoders and for single blocks. Knows no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

BLOCK_NAMES: Mapping[int, tuple[str, ...]] = {
    12: ("BASE", "IN04", "IN05", "IN07", "IN08", "MID", *(f"OUT{n:02}" for n in range(6))),
    17: ("BASE", "IN01", "IN02", "IN04", "IN05", "IN07", "IN08", "MID", *(f"OUT{n:02}" for n in range(3, 12))),
    20: ("BASE", *(f"IN{n:02}" for n in range(9)), "MID", *(f"OUT{n:02}" for n in range(9))),
    26: ("BASE", *(f"IN{n:02}" for n in range(12)), "MID", *(f"OUT{n:02}" for n in range(12))),
}
"""Which blocks a list of weights means, by its length; `BASE` are the text encoders, the others are named as in checkpoints.

17 and 26 are SD 1.5's (a LoRA's attention blocks, and all blocks), 12 and 20 SDXL's.
"""


class LoraTag(NamedTuple):
    """A LoRA with its weights, as a prompt's tag or an entry of `loras` names it."""

    name: str
    unet_weight: float = 1.0
    text_encoder_weight: float = 1.0
    block_weights: tuple[float, ...] = ()
    """One for each block of `BLOCK_NAMES`, which multiply the others; empty where all are 1."""

    @property
    def entry(self) -> tuple[Any, ...]:
        """The shortest form that `of` reads: name and weight, then the text encoders' where it differs, then blocks."""
        if self.block_weights:
            return (*self[:3], self.block_weights)
        return tuple(self[:2] if self.text_encoder_weight == self.unet_weight else self[:3])

    @classmethod
    def of(cls, entry: Sequence[Any]) -> LoraTag:
        """The tag of one entry of a request's `loras`, two to four values."""
        name, weight, *others = entry
        blocks = others[1] if len(others) > 1 else ()
        return cls(str(name), float(weight), float(others[0] if others else weight), tuple(float(one) for one in blocks))
