"""The codec's latents can be given another scale without a change of what they mean."""

import torch
from acetate.engine.builtin.train import autoencoder


@torch.no_grad()
def test_folded_statistics_change_the_latents_and_no_picture() -> None:
    torch.manual_seed(0)
    codec = autoencoder.Codec().eval()
    torch.nn.init.normal_(codec.vae.quant_conv.weight, std=0.05)
    pictures = torch.rand(2, 4, 64, 64)
    before, _ = codec.encode(pictures)
    pixels = codec.vae.decode(before).sample
    drawn = codec.decoder(pixels, before)
    mean, std = before.mean((0, 2, 3)), before.std((0, 2, 3))
    autoencoder.fold_statistics(codec, mean, std)
    after, _ = codec.encode(pictures)
    assert after.mean((0, 2, 3)).abs().max() < 1e-4
    assert (after.std((0, 2, 3)) - 1).abs().max() < 1e-4
    torch.testing.assert_close(codec.vae.decode(after).sample, pixels, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(codec.decoder(pixels, after), drawn, rtol=1e-4, atol=1e-4)
