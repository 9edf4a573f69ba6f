"""The pictures that a model is shown beside what it draws: brought to sizes that it reads, and encoded (qwen-image.md 3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from acetate.raster import RGBA
from acetate.vocabulary.parameters import range_of
from torch import Tensor

from ..models.codec import AlphaCodec
from ..pixels.working_canvas import WorkingCanvas, WorkingSizes
from .qwen_text import LEAST_AREA, SLOT_SIDE

LEAST_SIDE = 256
MOST_AREA = 1024 * 1024
"""Of a picture that is only looked at: a larger one would cost memory and time, and the result's size does not depend on it."""
assert LEAST_SIDE**2 == LEAST_AREA

_SIZES = WorkingSizes(LEAST_SIDE, 1.0, MOST_AREA / LEAST_AREA, multiple_of=SLOT_SIDE)


@dataclass(frozen=True, eq=False)
class References:
    """Pictures in the order in which a prompt calls them `<image1>` and so on, with their latents."""

    pictures: tuple[RGBA, ...] = ()
    """`(H, W, 4)` uint8 straight, of sides that are multiples of 32."""
    latents: tuple[Tensor, ...] = ()
    """`(1, C, h, w)` each."""

    @classmethod
    def of(cls, codec: AlphaCodec, working: RGBA, others: Sequence[RGBA]) -> References:
        """`working` is the picture that is worked on, on its canvas; `others`, `(H, W, 4)` uint8 straight, have any size."""
        pictures = (working, *(brought_to_size(one) for one in others))
        return cls(pictures, tuple(codec.encode(one) for one in pictures))

    def seed(self, seed: int) -> int:
        """The seed of the noise: another for other pictures.

        A layer that was drawn from a seed would else be edited from the very noise that it came from, and be drawn once more.
        """
        if not self.pictures:
            return seed
        digest = hashlib.blake2b(digest_size=8)
        for one in self.pictures:
            digest.update(repr(one.shape).encode() + one.tobytes())
        _, last = range_of("seed")
        return (seed + int.from_bytes(digest.digest(), "big")) % (last + 1)


def area_shown(working: RGBA, others: Sequence[RGBA]) -> int:
    """The pixels of all pictures of `References.of`, `(H, W, 4)` each, which decide what they cost; nothing is resized for it."""
    sizes = [working.shape[1::-1], *(_frame(one).working for one in others)]
    return sum(width * height for width, height in sizes)


def brought_to_size(rgba: RGBA) -> RGBA:
    """`(H, W, 4)` uint8 straight at a size that the text encoder's processor leaves as it is: enlarged, shrunk or surrounded."""
    return _frame(rgba).to_working(rgba, carried_on=True)


def _frame(rgba: RGBA) -> WorkingCanvas:
    height, width = rgba.shape[:2]
    return _SIZES.frame(width, height, "contain")
