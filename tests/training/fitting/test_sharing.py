"""What the sharing script trains is what the engine computes with."""

import numpy as np
import pytest
import torch
from acetate.engine.layerdiffuse.attention_sharing import AttentionSharing
from diffusers import UNet2DConditionModel

from training.fitting import sharing
from training.pictures import noto, scenery


@pytest.fixture
def unet() -> UNet2DConditionModel:
    torch.manual_seed(0)
    network = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(32, 32, 32),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=4,
    )
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize("role", sharing.FILES)
def test_parameters_in_training_give_what_the_engine_makes_of_the_published_file(unet: UNet2DConditionModel, role: str) -> None:
    units = sharing.Units(unet, sharing.FILES[role])
    for value in units.values.values():
        value.data.add_(torch.randn_like(value) * 0.02)
    latents, prompts = torch.randn(2 * units.frames, 4, 8, 8), torch.randn(2 * units.frames, 5, 32)
    control = torch.rand(1, 3, 64, 64) if units.controlled else None
    installed = AttentionSharing(unet, units.published())
    if control is not None:
        installed.set_control(control)
    with torch.no_grad():
        wanted = unet(latents, 10, prompts).sample
    units.bind(unet, None if control is None else control * 2 - 1)
    given = unet(latents, 10, prompts).sample
    torch.testing.assert_close(given, wanted, rtol=1e-4, atol=1e-5)
    given.square().mean().backward()
    assert all(value.grad is not None and value.grad.abs().max() > 0 for key, value in units.values.items() if "lora" in key)


def test_at_the_start_the_frames_do_not_see_each_other_and_nothing_changes(unet: UNet2DConditionModel) -> None:
    latents, prompts = torch.randn(3, 4, 8, 8), torch.randn(3, 5, 32)
    with torch.no_grad():
        before = unet(latents, 10, prompts).sample
        AttentionSharing(unet, sharing.Units(unet, sharing.FILES["joint"]).published())
        after = unet(latents, 10, prompts).sample
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


def test_a_subject_in_front_of_a_background_composites_exactly() -> None:
    rng = np.random.default_rng(0)
    front, back = noto.place(noto.artwork("cat"), 64, rng), scenery.background("meadow", 64, rng)
    blended = scenery.in_front(front, back)
    assert (blended[front[..., 3] == 0] == back[front[..., 3] == 0]).all()
    assert (blended[front[..., 3] == 255] == front[front[..., 3] == 255]).all()
    assert (blended[..., 3] == 255).all()
