from __future__ import annotations

import torch
from acetate.engine.layerdiffuse.transparency import TransparentDecoder
from acetate.engine.layerdiffuse.upsample_conv import WORTH_IT, Doubling, double_in, sum_weights
from diffusers import AutoencoderKL
from torch import Tensor, nn

SIDE = int(WORTH_IT**0.5)


def vae() -> AutoencoderKL:
    torch.manual_seed(0)
    blocks = {"down_block_types": ["DownEncoderBlock2D"] * 3, "up_block_types": ["UpDecoderBlock2D"] * 3}
    made: AutoencoderKL = AutoencoderKL(**blocks, block_out_channels=(8, 8, 16), norm_num_groups=4, latent_channels=4)
    return made.eval().requires_grad_(False)


def test_one_transposed_convolution_is_repeated_pixels_and_a_convolution() -> None:
    """Edges included; uneven sides; either layout."""
    torch.manual_seed(0)
    doubling = Doubling(nn.Conv2d(5, 7, 3, padding=1)).requires_grad_(False)
    x = torch.randn(2, 5, SIDE + 3, SIDE)
    sum_weights(doubling, False)
    as_written = doubling(x)
    sum_weights(doubling, True)
    short: list[Tensor] = [doubling(x), doubling(x.contiguous(memory_format=torch.channels_last))]

    assert as_written.shape == (2, 7, 2 * (SIDE + 3), 2 * SIDE)
    for found in short:
        assert (found - as_written).abs().max() < 1e-5
        assert not torch.equal(found, as_written), "it was computed in the other way"


def test_a_changed_weight_counts_at_once() -> None:
    doubling = Doubling(nn.Conv2d(3, 3, 3, padding=1)).requires_grad_(False)
    x = torch.randn(1, 3, SIDE, SIDE)
    doubling(x)
    doubling.conv.weight.zero_()
    assert torch.equal(doubling(x), doubling.conv.bias.view(1, 3, 1, 1).expand(1, 3, 2 * SIDE, 2 * SIDE))  # type: ignore[union-attr]


def test_half_precision_and_small_pictures_are_computed_as_written() -> None:
    doubling = Doubling(nn.Conv2d(3, 3, 3, padding=1)).requires_grad_(False)
    small, half = torch.randn(1, 3, 8, 8), torch.randn(1, 3, SIDE, SIDE, dtype=torch.bfloat16)
    found = doubling(small), doubling.to(torch.bfloat16)(half)
    sum_weights(doubling, False)
    assert torch.equal(found[1], doubling(half))
    assert torch.equal(found[0], doubling.float()(small)) or (found[0] - doubling(small)).abs().max() < 2e-2, "rounded weights"


def test_a_vae_says_the_same_and_its_file_is_the_same() -> None:
    plain, ours = vae(), vae()
    double_in(ours)
    latents = torch.randn(1, 4, SIDE, SIDE)

    assert list(ours.state_dict()) == list(plain.state_dict())
    assert (ours.decode(latents).sample - plain.decode(latents).sample).abs().max() < 1e-5
    assert sum(isinstance(module, Doubling) for module in ours.modules()) == 2


def test_the_transparent_decoder_has_one_for_every_level_but_the_last() -> None:
    decoder = TransparentDecoder(4, (8, 8, 8, 16), 1)
    assert sum(isinstance(module, Doubling) for module in decoder.modules()) == 3
