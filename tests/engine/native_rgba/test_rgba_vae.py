"""A layer through the four-channel autoencoder: straight alpha, hidden colour without influence, nearly solid made solid."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from acetate.engine.device.memory_budget import Memory
from acetate.engine.device.memory_plans import MemoryPlan
from acetate.engine.native_rgba.rgba_vae import RGBAVAECodec, snapped
from acetate.engine.values.errors import NumericFailure
from numpy.typing import NDArray

from .tiny_qwen import TinyQwen


@pytest.fixture
def codec(tiny: TinyQwen) -> RGBAVAECodec:
    return RGBAVAECodec(tiny.vae)


@pytest.fixture
def layer() -> NDArray[np.uint8]:
    rgba = np.random.default_rng(0).integers(0, 256, (64, 96, 4), dtype=np.uint8)
    rgba[:, :40, 3] = 0
    return rgba


def test_latents_are_normalised_as_diffusers_pipeline_does(tiny: TinyQwen, codec: RGBAVAECodec) -> None:
    opaque = np.full((64, 64, 4), 255, np.uint8)
    opaque[16:40, 8:50, :3] = (30, 200, 90)
    pixels = torch.from_numpy(opaque).permute(2, 0, 1)[None, :, None].float() / 127.5 - 1
    with torch.no_grad():
        own = tiny.vae.encode(pixels).latent_dist.mode()[:, :, 0]
    mean, std = (torch.tensor(tiny.vae.config[name]).reshape(1, -1, 1, 1) for name in ("latents_mean", "latents_std"))
    assert (codec.encode(opaque) - (own - mean) / std).abs().max() < 1e-5
    assert codec.encode(opaque).shape == (1, 64, 4, 4)


def test_hidden_colour_has_no_influence(codec: RGBAVAECodec, layer: NDArray[np.uint8]) -> None:
    other = layer.copy()
    other[layer[..., 3] == 0, :3] = 77
    assert torch.equal(codec.encode(layer), codec.encode(other))
    assert torch.equal(codec.encode_opaque(layer), codec.encode_opaque(other))


def test_an_opaque_encode_differs_only_by_alpha(codec: RGBAVAECodec, layer: NDArray[np.uint8]) -> None:
    solid = layer.copy()
    solid[..., 3] = 255
    assert torch.equal(codec.encode_opaque(solid), codec.encode(solid))
    assert not torch.equal(codec.encode_opaque(layer), codec.encode(layer))


def test_a_decode_is_one_pass_and_has_alpha(codec: RGBAVAECodec) -> None:
    decoding = codec.decode(torch.randn(1, 64, 4, 6, generator=torch.Generator().manual_seed(0)), 8)
    assert (decoding.passes, list(decoding)) == (1, [1])
    assert decoding.rgba.shape == (64, 96, 4)
    assert decoding.rgba[..., 3].min() < decoding.rgba[..., 3].max()


def test_in_strips_a_layer_is_the_same(tiny: TinyQwen) -> None:
    class Little(Memory):
        plan = MemoryPlan(tiled_vae=True)

    latents = torch.randn(1, 64, 12, 6, generator=torch.Generator().manual_seed(0))
    whole, cut = (RGBAVAECodec(tiny.vae, memory=memory).pixels(latents) for memory in (Memory(), Little()))
    assert np.abs(whole.astype(int) - cut).max() <= 1


def test_latents_that_are_no_numbers_are_named(codec: RGBAVAECodec) -> None:
    with pytest.raises(NumericFailure):
        codec.pixels(torch.full((1, 64, 4, 4), float("nan")))


def test_nearly_solid_is_solid_and_haze_is_gone() -> None:
    alpha = np.array([[0, 3, 4, 5, 128, 249, 250, 255]], np.uint8)
    rgba = np.dstack([alpha, alpha, alpha, alpha])
    assert snapped(rgba)[..., 3].tolist() == [[0, 0, 0, 5, 128, 249, 255, 255]]
    assert (snapped(rgba)[..., :3] == rgba[..., :3]).all(), "colour stays, hidden colour too"
