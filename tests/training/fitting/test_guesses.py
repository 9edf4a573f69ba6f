from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from acetate.engine.sketch.networks import PatchDecoder, PatchEncoder
from torch import Tensor

from training.fitting import guesses


def knowing(sample: Tensor, _: Tensor, context: Tensor) -> Any:
    """A denoiser that takes the reference for the drawing."""
    assert len(context) == len(sample)
    return SimpleNamespace(sample=sample[:, sample.shape[1] // 2 :])


def test_a_denoiser_is_shown_a_bent_reference_and_its_guess_comes_in_the_codecs_own_scale() -> None:
    encoder = PatchEncoder(6)
    pictures = np.zeros((18, 32, 32, 4), np.uint8)
    pictures[:, 8:24, 8:24] = 255
    latents = guesses.guessed(knowing, encoder, pictures, torch.zeros(1, 3, 8))
    clean = encoder(torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255).detach()
    assert latents.shape == (18, 6, 4, 4)
    assert 0 < float((latents - clean).abs().mean()) < 0.5 * float(clean.abs().mean())


def test_guesses_are_decoded_to_what_can_be_a_picture() -> None:
    made = guesses.decoded(PatchDecoder(6), torch.randn(17, 6, 2, 2) * 9)
    assert (made.shape, made.dtype) == ((17, 4, 16, 16), torch.uint8)
    assert bool((made[:, :3] <= made[:, 3:]).all())
