"""The codec's latents keep their meaning: when they get another scale, and when the decoders learn more."""

from pathlib import Path

import numpy as np
import torch

from training.fitting import autoencoder


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


def test_the_decoders_learn_while_the_latents_stay_and_a_checkpoint_goes_on(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 4), np.uint8)
    codec = autoencoder.Codec()
    latents, before = autoencoder.latents_of(codec, pictures), {k: v.clone() for k, v in codec.state_dict().items()}
    trained = autoencoder.train_decoders(codec, pictures, latents, tmp_path, steps=1)
    changed = {name for name, value in trained.state_dict().items() if not value.equal(before[name])}
    assert torch.equal(autoencoder.latents_of(trained, pictures), latents)
    assert any(name.startswith("vae.decoder.") for name in changed) and any(name.startswith("decoder.") for name in changed)

    again = autoencoder.train_decoders(autoencoder.Codec(), pictures, latents, tmp_path, steps=1)
    assert all(value.equal(again.state_dict()[name]) for name, value in trained.state_dict().items())


@torch.no_grad()
def test_stretched_alpha_reaches_its_ends_and_colour_stays() -> None:
    codec = autoencoder.Codec().eval()
    pixels, latents = torch.rand(1, 3, 64, 64), torch.randn(1, autoencoder.LATENT_CHANNELS, 8, 8)
    codec.decoder.conv_out.weight[0] *= 20  # untrained alpha keeps to the middle
    before = codec.decoder(pixels, latents)
    autoencoder.stretch_alpha(codec.decoder)
    after = codec.decoder(pixels, latents)
    assert torch.equal(after[:, 1:], before[:, 1:])
    margin = autoencoder.ALPHA_MARGIN
    seen = before[:, 0].clamp(0, 1)
    moved = after[:, 0].clamp(0, 1) - seen
    assert moved.abs().max() <= margin + 1e-4
    assert (moved[seen > 0.5] > -1e-4).all() and (moved[seen < 0.5] < 1e-4).all()
    assert before[:, 0].min() < margin and before[:, 0].max() > 1 - margin, "both ends are seen"
