"""The four-channel autoencoder without video caches and in strips gives the numbers of diffusers' own calls."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from acetate.engine.native_rgba import strips
from diffusers.models import AutoencoderKLQwenImage21

from .tiny_qwen import TinyQwen

pytestmark = pytest.mark.usefixtures("no_grad")


@pytest.fixture
def no_grad() -> Any:
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def deep() -> Any:
    """A narrow autoencoder of the published depth: how far a pixel sees is that of the real one."""
    torch.manual_seed(1)
    return AutoencoderKLQwenImage21(
        base_dim=8,
        decoder_base_dim=8,
        z_dim=64,
        dim_mult=[1, 2, 4, 8, 8],
        num_res_blocks=2,
        temperal_downsample=[False, True, True, True],
    ).eval()


def latents(rows: int = 24, columns: int = 6) -> torch.Tensor:
    return torch.randn(1, 64, rows, columns, generator=torch.Generator().manual_seed(2))


def test_decoding_without_caches_is_the_networks_own_to_the_bit(tiny: TinyQwen) -> None:
    assert torch.equal(strips.decoded(tiny.vae, latents()), tiny.vae.decode(latents()[:, :, None]).sample[:, :, 0])


def test_encoding_without_caches_is_the_networks_own_to_the_bit(tiny: TinyQwen) -> None:
    pixels = torch.rand(1, 4, 96, 64, generator=torch.Generator().manual_seed(3)) * 2 - 1
    own = tiny.vae.encode(pixels[:, :, None]).latent_dist.mode()[:, :, 0]
    assert torch.equal(strips.encoded(tiny.vae, pixels), own)


def test_strips_decode_to_the_same_numbers(deep: Any) -> None:
    whole, cut = strips.decoded(deep, latents()), strips.decoded(deep, latents(), in_strips=True)
    assert whole.shape == (1, 4, 384, 96)
    assert (cut - whole).abs().max() <= 1e-6


def test_a_smaller_halo_would_show(deep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips, "DECODED_HALO", 8)
    whole, cut = strips.decoded(deep, latents()), strips.decoded(deep, latents(), in_strips=True)
    assert (cut - whole).abs().max() > 1e-5


def test_strips_encode_to_the_same_numbers(deep: Any) -> None:
    pixels = torch.rand(1, 4, 640, 32, generator=torch.Generator().manual_seed(3)) * 2 - 1
    whole, cut = strips.encoded(deep, pixels), strips.encoded(deep, pixels, in_strips=True)
    assert (cut - whole).abs().max() <= 5e-6
