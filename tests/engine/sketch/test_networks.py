from __future__ import annotations

import torch
from acetate.engine.sketch.networks import Enlarger, PatchDecoder, PatchEncoder, within_alpha


def test_a_latent_stands_for_eight_by_eight_pixels_both_ways() -> None:
    latents = PatchEncoder(6)(torch.rand(2, 4, 64, 32))
    assert latents.shape == (2, 6, 8, 4)
    assert PatchDecoder(6, (8, 8, 8), (1, 1, 1))(latents).shape == (2, 4, 64, 32)


def test_the_enlarger_gives_four_times_the_size() -> None:
    assert Enlarger(8, 1)(torch.rand(1, 4, 16, 24)).shape == (1, 4, 64, 96)


def test_a_decoder_gives_for_a_crop_what_it_gives_within_the_whole() -> None:
    torch.manual_seed(0)
    decoder, latents = PatchDecoder(6, (8, 8, 8), (1, 1, 1)).eval(), torch.randn(1, 6, 16, 16)
    whole, crop = decoder(latents), decoder(latents[:, :, 2:14, 2:14])
    assert torch.allclose(whole[:, :, 56:72, 56:72], crop[:, :, 40:56, 40:56], atol=1e-5)


def test_colour_is_brought_within_alpha() -> None:
    rgba = torch.tensor([1.4, 0.5, -0.2, 0.8]).view(1, 4, 1, 1)
    assert torch.allclose(within_alpha(rgba).flatten(), torch.tensor([0.8, 0.5, 0.0, 0.8]))
