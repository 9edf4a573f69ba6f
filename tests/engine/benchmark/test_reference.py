"""The reference contestant works as LayerDiffuse's own code does."""

from __future__ import annotations

import copy

import pytest
import torch
from acetate.engine.benchmark.reference import Reference, _to_host
from acetate.engine.benchmark.subject import Subject
from acetate.engine.models.codec import to_picture


def test_after_the_references_turn_the_model_knows_that_its_networks_are_in_host_memory(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own hooks have brought text encoders meanwhile, which would not come again."""
    reference, left = Reference(subject), []
    monkeypatch.setattr(subject.model.memory.placement, "leave", lambda: left.append(subject.model.unet.device.type))
    reference.finish()
    assert left == ["cpu"]


@pytest.mark.parametrize("tiny", ["sd15"], indirect=True)
def test_our_transparent_decode_is_the_references(subject: Subject) -> None:
    """Selection network against stack and median, one pass after another and several at once.

    In float64: in float32 a batch may be convolved in another order, which alone gives differences of 1e-5.
    """
    decoder = copy.deepcopy(subject.codec.decoder).double()
    pixels, unscaled = subject.pixels.double(), (subject.latents / subject.codec.scaling_factor).double()
    estimates = []
    for mirrored, turns in ((m, t) for m in (False, True) for t in range(4)):
        picture, latents = (part.flip(3) if mirrored else part for part in (pixels, unscaled))
        turned = decoder(torch.rot90(picture, turns, (2, 3)), torch.rot90(latents, turns, (2, 3))).clip(0, 1)
        turned = torch.rot90(turned, -turns, (2, 3))
        estimates.append(turned.flip(3) if mirrored else turned)
    wanted = torch.median(torch.stack(estimates), dim=0).values
    for batch in (1, 4, 8):
        assert (decoder.estimate(pixels, unscaled, 8, batch) - wanted).abs().max() <= 1e-9


@pytest.mark.parametrize("tiny", ["sd15"], indirect=True)
def test_the_reference_truncates_where_we_round(subject: Subject) -> None:
    levels = torch.tensor([0.0, 0.1, 0.5, 0.999, 1.0])
    picture = levels.reshape(1, 1, 1, 5).expand(1, 4, 1, 5)
    assert to_picture(picture)[0, :, 0].tolist() == [0, 26, 128, 255, 255]
    assert _to_host(picture)[0, :, 0].tolist() == [0, 25, 127, 254, 255]
