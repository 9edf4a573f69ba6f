"""What tells models for text to image from others of the same structure."""

from __future__ import annotations

import pytest
from acetate.engine.families.ldm_checkpoints import FIRST, PIPELINES, UNET, other_folder_inputs, other_inputs
from acetate.engine.files.headers import Header


def checkpoint(channels: int, *more: str) -> Header:
    shapes = {FIRST: [320, channels, 3, 3]} | {name: [1] for name in more}
    return Header({name: {"dtype": "F16", "shape": shape} for name, shape in shapes.items()}, {}, 0)


@pytest.mark.parametrize("channels", [5, 7, 8, 9, 16])
def test_what_takes_more_than_the_latents_of_one_picture_is_another_model(channels: int) -> None:
    assert other_inputs(checkpoint(4)) == other_folder_inputs({"in_channels": 4}) == other_folder_inputs({}) == ""
    assert other_inputs(checkpoint(channels)) and other_folder_inputs({"in_channels": channels})


def test_the_upscaler_is_known_by_its_label_embedding_whatever_its_inputs() -> None:
    assert other_inputs(checkpoint(4, f"{UNET}label_emb.weight")) == other_inputs(checkpoint(7)) != ""
    assert other_inputs(checkpoint(4, f"{UNET}label_emb.0.0.weight")) == "", "SDXL has one of another name"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("StableDiffusionPipeline", True),
        ("StableDiffusionXLPipeline", True),
        ("StableDiffusion3Pipeline", False),
        ("OnnxStableDiffusion3Pipeline", False),
        ("FluxPipeline", False),
    ],
)
def test_of_diffusers_pipelines_those_with_a_unet_are_known(name: str, known: bool) -> None:
    assert bool(PIPELINES.match(name)) is known
