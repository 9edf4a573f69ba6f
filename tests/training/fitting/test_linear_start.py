"""The codec's start is the linear one that its module promises."""

import torch
import torch.nn.functional as F
from torch import Tensor

from training.fitting.autoencoder import Codec


def frames() -> Tensor:
    """Smooth random frames, alpha first."""
    torch.manual_seed(0)
    return F.interpolate(torch.rand(2, 4, 4, 4), size=(64, 64), mode="bilinear")


@torch.no_grad()
def test_latents_begin_as_the_picture_at_an_eighth() -> None:
    torch.manual_seed(1)
    batch = frames()
    latents, logvar = Codec().encode(batch)
    assert (latents[:, :4] - (F.avg_pool2d(batch, 8) * 2 - 1)).abs().max() < 1e-5
    assert (logvar == 0).all()
    assert latents[:, 4:].std() > 0.05, "the free channels must carry something to learn from"


@torch.no_grad()
def test_both_decoders_begin_as_enlargements() -> None:
    torch.manual_seed(1)
    batch = frames()
    codec = Codec()
    latents, _ = codec.encode(batch)
    enlarged = F.interpolate(F.avg_pool2d(batch, 8), scale_factor=8)
    pixels = codec.vae.decode(latents).sample * 0.5 + 0.5
    assert (pixels - enlarged[:, 1:]).abs().mean() < 0.03
    raw = codec.decoder(pixels.clamp(0, 1), latents)
    assert (raw[:, 1:] - enlarged[:, 1:]).abs().mean() < 0.06
    assert (raw[:, :1] - enlarged[:, :1]).abs().mean() < 0.06
