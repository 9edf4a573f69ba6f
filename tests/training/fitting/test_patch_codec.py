from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from training.fitting import patch_codec


@pytest.fixture
def pictures() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Soft gradients in a disc, `(N, 32, 32, 4)` premultiplied."""
    y, x = np.mgrid[:32, :32] / 31
    made = np.zeros((12, 32, 32, 4), np.uint8)
    for number, picture in enumerate(made):
        alpha = np.clip(2 - 4 * np.hypot(x - 0.5, y - 0.5), 0, 1)[..., None]
        colour = np.stack([x, y, np.full_like(x, number / 12)], axis=2)
        picture[:] = np.concatenate([colour * alpha, alpha], axis=2) * 255
    return made


def test_the_first_latent_has_the_largest_spread_and_all_have_no_mean(
    pictures: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> None:
    encoder, _ = patch_codec.encoder_of(pictures)
    latents = encoder(torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255).detach()
    spread = latents.std((0, 2, 3))
    assert float(spread[0]) == pytest.approx(1, abs=0.3)
    assert spread[0] > spread[5] > spread[20]
    assert float(latents.mean((0, 2, 3)).abs().max()) < 0.2


def test_training_goes_on_where_it_was_stopped_and_leaves_the_linear_way_back(
    pictures: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], tmp_path: Path
) -> None:
    patch_codec.train(pictures, tmp_path, 2, batch=2, side=32)
    _, decoder = patch_codec.train(pictures, tmp_path, 3, batch=2, side=32)
    assert torch.load(tmp_path / "patch_codec.pt", weights_only=True)["done"] == 3
    assert torch.equal(decoder.linear.weight, patch_codec.encoder_of(pictures)[1].weight)
    assert min(patch_codec.fidelity(*patch_codec.train(pictures, tmp_path, 3), pictures)) > 20
