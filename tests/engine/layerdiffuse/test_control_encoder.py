"""The control image's encoder against the reference's own outputs (layerdiffuse.md 10.4), and files that do not hold one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from acetate.engine.layerdiffuse.control_encoder import ControlEncoder, control_tokens
from acetate.engine.values.errors import ModelBroken
from torch import Tensor

Fill = Callable[[Mapping[str, tuple[int, ...]]], dict[str, Tensor]]


def test_control_encoder_gives_the_reference_features(fill: Fill, golden: Path) -> None:
    encoder = ControlEncoder.load(fill({key: tuple(t.shape) for key, t in ControlEncoder().state_dict().items()}))
    c, y, x = (torch.arange(n, dtype=torch.float64) for n in (3, 128, 64))
    pixels = (0.5 + 0.5 * torch.sin(0.11 * x + 0.17 * y[:, None] + 0.9 * c[:, None, None]))[None].float()
    features = encoder(2 * pixels - 1)
    with np.load(golden / "control_encoder.npz") as arrays:
        assert [str(f.shape[2] * f.shape[3]) for f in features] == list(arrays)
        for feature in features:
            np.testing.assert_allclose(feature.numpy(), arrays[str(feature.shape[2] * feature.shape[3])], atol=2e-6)


def small() -> dict[str, Tensor]:
    return {key: tensor.half() for key, tensor in ControlEncoder((4, 6), levels=3).state_dict().items()}


def test_widths_and_levels_are_read_from_the_weights() -> None:
    weights = small()
    encoder = ControlEncoder.load(weights)
    assert (encoder.width, encoder.levels, encoder.multiple_of) == (6, 3, 8)
    assert [tuple(features.shape) for features in encoder(torch.zeros(1, 3, 16, 8))] == [
        (1, 6, 8, 4), (1, 6, 4, 2), (1, 6, 2, 1)
    ]  # fmt: skip
    assert not encoder.training and not any(parameter.requires_grad for parameter in encoder.parameters())
    assert all(torch.equal(tensor, weights[key].float()) for key, tensor in encoder.state_dict().items())


@pytest.mark.parametrize("change", ["no first block", "a tensor less", "a tensor more", "another shape"])
def test_weights_of_no_encoder_are_refused(change: str) -> None:
    weights = small()
    if change == "no first block":
        weights = {key: tensor for key, tensor in weights.items() if not key.startswith("blocks_0.")}
    elif change == "a tensor less":
        del weights["blocks_2.2.bias"]
    elif change == "a tensor more":
        weights["blocks_2.9.bias"] = torch.zeros(1)
    else:
        weights["blocks_1.0.weight"] = torch.zeros(6, 5, 3, 3)
    with pytest.raises(ModelBroken, match="control encoder"):
        ControlEncoder.load(weights)


def test_tokens_are_rows_first_and_each_frame_has_its_own_weights() -> None:
    one, zero = torch.zeros(1, 2, 3, 3), torch.zeros(1)
    one[0, 0, 1, 1] = 1  # the first channel as it is
    weights = {
        f"control_convs.{frame}.0.{part}": tensor for frame in (0, 1) for part, tensor in (("weight", one), ("bias", zero))
    }
    for frame, factor in ((0, 1.0), (1, 2.0)):
        weights |= {f"control_convs.{frame}.2.weight": torch.full((1, 1, 1, 1), factor), f"control_convs.{frame}.2.bias": zero}
    features = torch.arange(12.0).reshape(1, 2, 2, 3)
    tokens = [control_tokens(features, weights, frame) for frame in (0, 1)]
    assert torch.allclose(tokens[0][0, :, 0], torch.nn.functional.silu(torch.arange(6.0)))
    assert tokens[0].shape == (1, 6, 1) and torch.equal(tokens[1], 2 * tokens[0])
