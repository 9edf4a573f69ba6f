"""From a prompt to the drawing that the network is shown: found in the memory, coloured as was asked for, bent by the seed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from acetate.raster import to_float
from torch import Tensor

from . import variation
from .memory import MEMORY, Memory
from .phrases import WORDS, Phrases
from .recolouring import MATERIALS, recoloured
from .understanding import ATTRIBUTES, Understood, Vocabulary, Wanted

LETTERED = re.compile(
    r"(?:atm|abc|zzz|hundred|medal|calendar|newspaper|ledger|ruler|clock|watch|keyboard|banknote|label|stop sign|bus stop|keycap"
    r"|receipt|book|dvd|credit card|map|globe|money|dollar|question|speech|symbols on|jack o|currency|ticket|admission|score|note"
    r"|x ray|identification|game die|joker|mahjong|pager|post office|love hotel|computer disk|package).*"
    r"|.* (?:yen|sign|post office|medal|calendar|banknote|with symbols on mouth)"
)
"""Names of drawings that a mirror would give away."""
BESIDE = 0.46
"""How far from the middle each of two subjects stands, in half sides."""
SMALLER = 1.8
"""How much smaller each of two is."""


@dataclass(frozen=True)
class Reference:
    """What the network is shown."""

    picture: Tensor
    """`(1, 4, H, W)` premultiplied RGBA in [0, 1]."""
    names: tuple[str, ...]
    """The drawings that it was made from."""
    understood: Understood


class Recall:
    """A model's memory with the words that lead to it."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds `MEMORY` and `WORDS`; nothing of them is read before something is asked."""
        self.memory = Memory(folder / MEMORY)
        self.vocabulary = Vocabulary(Phrases(folder / WORDS), ATTRIBUTES)

    def reference(self, prompt: str, seed: int) -> Reference:
        """What `prompt` names, drawn by `seed`; empty where nothing in it is known."""
        understood = self.vocabulary.understand(prompt)
        numbers = [wanted.subject(seed) for wanted in understood.wanted]
        names = tuple(self.memory.names[number] for number in numbers)
        generator = torch.Generator().manual_seed(seed % 2**63)
        drawings = [self._drawing(wanted, number) for wanted, number in zip(understood.wanted, numbers, strict=True)]
        bent = [_varied(drawing, name, generator) for drawing, name in zip(drawings, names, strict=True)]
        return Reference(_together(bent, generator), names, understood)

    def nearest(self, word: str) -> list[str]:
        """The names of drawings that are spelled most like an unknown word."""
        return self.vocabulary.nearest(word, self.memory.names)

    def _drawing(self, wanted: Wanted, number: int) -> Tensor:
        drawing = to_float(self.memory.picture(number))
        if wanted.colour is not None and wanted.colour not in wanted.meaning.phrase.split(" "):
            drawing = recoloured(drawing, wanted.colour)
        if wanted.material is not None:
            drawing = MATERIALS[wanted.material](drawing)
        return torch.from_numpy(drawing).permute(2, 0, 1)[None].clamp(0, 1)


def _varied(drawing: Tensor, name: str, generator: torch.Generator) -> Tensor:
    """Turned, stretched and bent, so that another seed gives another shape; a little smaller, so that nothing is cut off."""
    mirror = 0.0 if LETTERED.fullmatch(name) else 0.5
    maps = variation.affine(1, generator, turn=9, scale=0.07, stretch=0.09, shift=0.03, mirror=mirror)
    maps[:, :, :2] *= 1.08
    return variation.warped(drawing, maps, 0.035, generator)


def _together(drawings: list[Tensor], generator: torch.Generator) -> Tensor:
    """One drawing as it is, two side by side, the second before the first; clear for none."""
    if not drawings:
        return torch.zeros(1, 4, 128, 128)
    if len(drawings) == 1:
        return drawings[0]
    made = torch.zeros_like(drawings[0])
    for drawing, place in zip(drawings, (-BESIDE, BESIDE), strict=True):
        lower = float(torch.rand((), generator=generator)) * 0.3 - 0.15
        maps = torch.tensor([[[SMALLER, 0.0, -place * SMALLER], [0.0, SMALLER, lower]]])
        grid = F.affine_grid(maps, list(drawing.shape), align_corners=False)
        small = F.grid_sample(F.avg_pool2d(F.pad(drawing, (1, 1, 1, 1)), 3, 1), grid, padding_mode="zeros", align_corners=False)
        made = small + made * (1 - small[:, 3:])
    return made
