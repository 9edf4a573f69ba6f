"""Captions as tokens on the pictures' device, so that a step draws its batch where it computes: no string, no host.

Knows the tokenizer and what pictures show; knows no network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from acetate.engine.values.recipes import Recipe
from torch import Tensor
from transformers import CLIPTokenizer

from ..fitting import denoiser, sharing
from . import dataset, tokenizer
from .dataset import Item


@dataclass(frozen=True)
class Captions:
    """The captions of the training pictures, as tokens."""

    tokens: Tensor
    """`(things, variants, tokens)`: things that are shown, each once."""
    thing: Tensor
    """`(N,)`: what each picture shows."""
    upto: Tensor
    """`(N,)`: the chance that a picture up to this one is drawn."""
    empty: Tensor
    """`(tokens,)`: no caption."""

    @classmethod
    def write(cls, words: CLIPTokenizer, items: list[Item], variants: int, device: torch.device, seed: int = 0) -> Captions:
        """Caption everything that the items show."""
        rng, things = np.random.default_rng(seed), {item: i for i, item in enumerate(dict.fromkeys(items))}
        texts = [item.caption(rng) for item in things for _ in range(variants)]
        tokens = tokenizer.tokens(words, texts).unflatten(0, (len(things), variants))
        thing = torch.tensor([things[item] for item in items])
        upto = torch.from_numpy(dataset.weights(items).cumsum()).float()
        empty = tokenizer.tokens(words, [""])[0]
        return cls(*(tensor.to(device) for tensor in (tokens, thing, upto, empty)))

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Pictures by their shares, `(count,)`, and a caption for each or none, `(count, tokens)`."""
        device = self.tokens.device
        chosen = torch.searchsorted(self.upto, torch.rand(count, device=device)).clamp(max=len(self.upto) - 1)
        variant = torch.randint(self.tokens.shape[1], (count,), device=device)
        silent = torch.rand(count, 1, device=device) < denoiser.UNCONDITIONAL
        return chosen, torch.where(silent, self.empty, self.tokens[self.thing[chosen], variant])


def of_scenes(
    words: CLIPTokenizer, names: list[tuple[str, str]], recipe: Recipe, variants: int, device: torch.device, seed: int = 0
) -> Tensor:
    """Prompts of all frames of every scene, `(scenes, variants, frames, tokens)`."""
    rng = np.random.default_rng(seed)
    texts = [text for name in names for _ in range(variants) for text in sharing.prompts(*name, recipe, rng)]
    tokens = tokenizer.tokens(words, texts).to(device)
    return tokens.reshape(len(names), variants, len(recipe.frames), -1)
