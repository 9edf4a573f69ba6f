"""Synthetic weights and tiny UNets of the two families' real block structure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from acetate.engine.attention_sharing import attention_layers
from acetate.engine.control_encoder import ControlEncoder
from diffusers import UNet2DConditionModel
from torch import Tensor

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of reference outputs."""
    return GOLDEN


@pytest.fixture(scope="session")
def fill() -> Callable[[Mapping[str, tuple[int, ...]]], dict[str, Tensor]]:
    """Make the reference's synthetic weights for shapes by key (layerdiffuse.md 10.1)."""

    def make(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
        weights = {key: _fill_one(key, shapes[key], seed) for seed, key in enumerate(sorted(shapes), start=1)}
        if "conv_out.weight" in weights and "conv_out.bias" in weights:
            weights["conv_out.weight"] *= 0.25
            weights["conv_out.bias"] += 0.5
        return weights

    return make


def _fill_one(key: str, shape: tuple[int, ...], seed: int) -> Tensor:
    count = int(np.prod(shape))
    h = (np.arange(count, dtype=np.uint64) + (seed * 0x9E3779B9) % 2**32) % 2**32
    for factor, shift in ((2654435761, 16), (2246822519, 13), (3266489917, 16)):
        h = h * np.uint64(factor) % 2**32
        h ^= h >> np.uint64(shift)
    value = h.astype(np.float64) / 2**31 - 1
    if len(shape) >= 2:
        value *= np.sqrt(3 * shape[0] / count)
    elif key.endswith("weight"):
        value = 1 + 0.1 * value
    else:
        value *= 0.05
    return torch.from_numpy(value.reshape(shape)).float()


@pytest.fixture
def sd15_unet() -> UNet2DConditionModel:
    """SD 1.5's blocks and keys at a twentieth of its width, with four heads."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        block_out_channels=(16, 16, 32, 32),
        layers_per_block=2,
        cross_attention_dim=24,
        attention_head_dim=4,
        norm_num_groups=8,
    ).eval()


@pytest.fixture
def sdxl_unet() -> UNet2DConditionModel:
    """SDXL's blocks, transformer depths and keys at a fortieth of its width."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        block_out_channels=(8, 16, 32),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=2,
        cross_attention_dim=24,
        transformer_layers_per_block=(1, 2, 10),
        attention_head_dim=(2, 2, 4),
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=64,
        use_linear_projection=True,
        norm_num_groups=8,
    ).eval()


@pytest.fixture(scope="session")
def units() -> Callable[..., dict[str, tuple[int, ...]]]:
    """Make the shapes by key of an attention-sharing file for a UNet (layerdiffuse.md 4.2)."""
    return _unit_shapes


def _unit_shapes(
    unet: UNet2DConditionModel, frames: int, *, controlled: bool = False, rank: int = 4
) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for index, layer in enumerate(attention_layers(unet)):
        width, context, prefix = layer.module.to_q.out_features, layer.module.to_k.in_features, f"hookers.layers.{index}."
        for name in "inqkvo":
            shapes[f"{prefix}temporal_{name}.weight"] = (width,) if name == "n" else (width, width)
            shapes[f"{prefix}temporal_{name}.bias"] = (width,)
        for frame in range(frames):
            for name, inputs in (("q", width), ("k", context), ("v", context), ("out", width)):
                shapes[f"{prefix}to_{name}_lora.{frame}.down.weight"] = (rank, inputs)
                shapes[f"{prefix}to_{name}_lora.{frame}.up.weight"] = (width, rank)
            if controlled:
                shapes[f"{prefix}control_convs.{frame}.0.weight"] = (16, 16, 3, 3)
                shapes[f"{prefix}control_convs.{frame}.0.bias"] = (16,)
                shapes[f"{prefix}control_convs.{frame}.2.weight"] = (width, 16, 1, 1)
                shapes[f"{prefix}control_convs.{frame}.2.bias"] = (width,)
    if controlled:
        encoder = ControlEncoder((4, 4, 8, 16))
        shapes |= {f"kwargs_encoder.{key}": tuple(tensor.shape) for key, tensor in encoder.state_dict().items()}
    return shapes
