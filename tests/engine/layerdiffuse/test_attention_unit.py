"""The unit's arithmetic against the reference's own outputs (layerdiffuse.md 10.4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from acetate.engine.layerdiffuse.attention_unit import AttentionSharingUnit
from acetate.engine.layerdiffuse.control_encoder import control_tokens
from diffusers.models.attention_processor import Attention
from torch import Tensor

WIDTH, CONTEXT, RANK, TOKENS = 64, 48, 16, 16
Fill = Callable[[Mapping[str, tuple[int, ...]]], dict[str, Tensor]]


def unit_shapes(frames: int, *, controlled: bool, cross: bool) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"temporal_n.weight": (WIDTH,), "temporal_n.bias": (WIDTH,)}
    for name in "iqkvo":
        shapes |= {f"temporal_{name}.weight": (WIDTH, WIDTH), f"temporal_{name}.bias": (WIDTH,)}
    for frame in range(frames):
        for name in ("q", "k", "v", "out"):
            inputs = CONTEXT if cross and name in "kv" else WIDTH
            shapes[f"to_{name}_lora.{frame}.down.weight"] = (RANK, inputs)
            shapes[f"to_{name}_lora.{frame}.up.weight"] = (WIDTH, RANK)
        if controlled:
            shapes[f"control_convs.{frame}.0.weight"] = (256, 256, 3, 3)
            shapes[f"control_convs.{frame}.0.bias"] = (256,)
            shapes[f"control_convs.{frame}.2.weight"] = (WIDTH, 256, 1, 1)
            shapes[f"control_convs.{frame}.2.bias"] = (WIDTH,)
    return shapes


class Setup:
    """The reference's experiment: base attention, unit, inputs; two pictures of F frames per CFG half, conditional half first."""

    def __init__(self, fill: Fill, frames: int, *, controlled: bool = False, cross: bool = False) -> None:
        self.frames, self.controlled, self.cross = frames, controlled, cross
        self.base = Attention(WIDTH, CONTEXT if cross else None, heads=8, dim_head=8).eval()
        self.base.load_state_dict(fill({key: tuple(tensor.shape) for key, tensor in self.base.state_dict().items()}))
        self.weights = fill(unit_shapes(frames, controlled=controlled, cross=cross))
        count = 4 * frames if frames > 1 else 4
        self.hidden = torch.sin(grid(count, TOKENS, WIDTH, 0.8, 0.37, 0.11))
        self.context = torch.cos(grid(count, 7, CONTEXT, 0.6, 0.23, -0.19)) if cross else None

    def unit(self) -> AttentionSharingUnit:
        unit = AttentionSharingUnit(self.base, self.weights, self.frames, controlled=self.controlled).eval()
        if self.controlled:
            c, y, x = (torch.arange(n, dtype=torch.float64) for n in (256, 4, 4))
            signal = (0.1 * torch.sin(0.5 * x + 0.7 * y[:, None] + 0.05 * c[:, None, None]))[None].float()
            unit.control = torch.stack([control_tokens(signal, self.weights, frame) for frame in range(self.frames)], 1)
        return unit

    def run(self, context: Tensor | None = None, hidden: Tensor | None = None) -> Tensor:
        with torch.no_grad():
            return self.unit()(self.base, self.hidden if hidden is None else hidden, self.context if context is None else context)

    def own_prompts(self) -> Tensor:
        """The context with each frame's own prompt in the conditional half, frame 1 keeping the common one."""
        assert self.context is not None
        context = self.context.clone().unflatten(0, (-1, self.frames))
        for frame in range(self.frames):
            if frame != 1:
                own = torch.sin(grid(1, 7, CONTEXT, 0.0, 0.31, 0.07) + frame)
                context[: context.shape[0] // 2, frame] = own
        return context.flatten(0, 1)


def grid(batch: int, rows: int, columns: int, per_batch: float, per_row: float, per_column: float) -> Tensor:
    b, n, c = (torch.arange(size, dtype=torch.float64) for size in (batch, rows, columns))
    return (per_row * n[:, None] + per_column * c + per_batch * b[:, None, None]).float()


CASES = [(frames, controlled, cross) for frames, controlled in ((1, False), (3, False), (2, True)) for cross in (False, True)]


@pytest.mark.parametrize(("frames", "controlled", "cross"), CASES)
def test_unit_gives_the_reference_numbers(fill: Fill, golden: Path, frames: int, controlled: bool, cross: bool) -> None:
    name = f"frames{frames}_ctrl{int(controlled)}_{'cross' if cross else 'self'}"
    result = Setup(fill, frames, controlled=controlled, cross=cross).run()
    with np.load(golden / "attention_sharing.npz") as arrays:
        np.testing.assert_allclose(result.numpy(), arrays[name], atol=2e-5)
    stated = json.loads((golden / "golden_attention.json").read_text())[name]
    assert result.mean().item() == pytest.approx(stated["mean"], abs=1e-6)
    for place, value in stated["samples"].items():
        b, n, c = map(int, place.split(","))
        assert result[b, n, c].item() == pytest.approx(value, abs=2e-5)


@pytest.mark.parametrize(("frames", "controlled"), [(1, False), (3, False), (2, True)])
def test_a_context_per_element_equals_the_reference_overwrite(fill: Fill, golden: Path, frames: int, controlled: bool) -> None:
    setup = Setup(fill, frames, controlled=controlled, cross=True)
    result = setup.run(setup.own_prompts())
    with np.load(golden / "attention_sharing.npz") as arrays:
        np.testing.assert_allclose(result.numpy(), arrays[f"frames{frames}_ctrl{int(controlled)}_cross_overwrite"], atol=2e-5)
    plain, half = setup.run(), result.shape[0] // 2
    assert torch.equal(result[half:], plain[half:])
    assert not torch.allclose(result[:half], plain[:half])


@pytest.mark.parametrize("cross", [False, True])
def test_permuting_pictures_permutes_the_result_but_permuting_frames_does_not(fill: Fill, cross: bool) -> None:
    setup = Setup(fill, 3, cross=cross)
    result = setup.run().unflatten(0, (-1, 3))

    def permuted(axis: int, order: list[int]) -> Tensor:
        def pick(x: Tensor) -> Tensor:
            return x.unflatten(0, (-1, 3)).index_select(axis, torch.tensor(order)).flatten(0, 1)

        context = None if setup.context is None else pick(setup.context)
        return setup.run(context, pick(setup.hidden)).unflatten(0, (-1, 3))

    torch.testing.assert_close(permuted(0, [2, 0, 3, 1]), result[[2, 0, 3, 1]], atol=1e-6, rtol=0)
    assert (permuted(1, [1, 0, 2]) - result[:, [1, 0, 2]]).abs().max() > 0.1


@pytest.mark.parametrize(("frames", "controlled", "cross"), CASES)
def test_zeroed_outputs_leave_the_base_attention(fill: Fill, frames: int, controlled: bool, cross: bool) -> None:
    setup = Setup(fill, frames, controlled=controlled, cross=cross)
    for key, tensor in setup.weights.items():
        if ".up." in key or key.startswith("temporal_o") or ".2." in key:
            tensor.zero_()
    with torch.no_grad():
        torch.testing.assert_close(setup.run(), setup.base(setup.hidden, setup.context), atol=5e-7, rtol=0)


def test_one_frame_attends_to_its_value_alone(fill: Fill) -> None:
    setup = Setup(fill, 1)
    before = setup.run()
    for name in "qk":
        setup.weights[f"temporal_{name}.weight"].mul_(7)
    assert torch.equal(setup.run(), before)


def test_temporal_attention_equals_scaled_dot_product_attention(fill: Fill) -> None:
    weights = Setup(fill, 3).weights
    unit = Setup(fill, 3).unit()

    def affine(x: Tensor, name: str) -> Tensor:
        return torch.nn.functional.linear(x, weights[f"temporal_{name}.weight"], weights[f"temporal_{name}.bias"])

    frames = torch.randn(2, 3, TOKENS, WIDTH, generator=torch.Generator().manual_seed(1))
    x = torch.nn.functional.layer_norm(frames, (WIDTH,), weights["temporal_n.weight"], weights["temporal_n.bias"], 1e-6)
    x = affine(x, "i").transpose(1, 2).flatten(0, 1)  # (b d) F C
    q, k, v = (affine(x, name).unflatten(2, (8, 8)).transpose(1, 2) for name in "qkv")
    mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    expected = affine(mixed, "o").unflatten(0, (2, TOKENS)).transpose(1, 2)
    with torch.no_grad():
        torch.testing.assert_close(unit.temporal(frames), expected, atol=1e-5, rtol=0)


def test_a_mask_hides_keys(fill: Fill) -> None:
    setup = Setup(fill, 3, cross=True)
    assert setup.context is not None
    mask = torch.zeros(12, 1, 7)
    mask[..., 5:] = -1e9
    changed = setup.context.clone()
    changed[:, 5:] += 3
    with torch.no_grad():
        masked = setup.unit()(setup.base, setup.hidden, setup.context, attention_mask=mask)
        also = setup.unit()(setup.base, setup.hidden, changed, attention_mask=mask)
    assert torch.equal(masked, also)
    assert not torch.allclose(masked, setup.run())


def test_foreign_arguments_are_ignored(fill: Fill) -> None:
    setup = Setup(fill, 1)
    with torch.no_grad():
        result = setup.unit()(setup.base, setup.hidden, transformer_options={"x": 1}, scale=2.0)
    assert torch.equal(result, setup.run())


def test_incomplete_pictures_and_a_missing_or_wrong_control_image_are_named(fill: Fill) -> None:
    setup = Setup(fill, 2, controlled=True)
    unit = setup.unit()
    with pytest.raises(ValueError, match="a batch of 7 does not hold whole pictures of 2 frames"):
        unit(setup.base, setup.hidden[:7])
    with pytest.raises(ValueError, match="gives 16 tokens where the latents have 9"):
        unit(setup.base, setup.hidden[:, :9])
    unit.control = None
    with pytest.raises(ValueError, match=r"call set_control\(\) first"):
        unit(setup.base, setup.hidden)


def test_half_precision_stays_close(fill: Fill) -> None:
    setup = Setup(fill, 3, cross=True)
    expected = setup.run()
    setup.base.to(torch.bfloat16)
    assert setup.context is not None
    result = setup.run(setup.context.bfloat16(), setup.hidden.bfloat16())
    assert result.dtype == torch.bfloat16
    assert (result.float() - expected).abs().mean() < 0.02


def test_the_unit_compiles_without_a_graph_break(fill: Fill) -> None:
    setup = Setup(fill, 3, cross=True)
    compiled = torch.compile(setup.unit(), fullgraph=True, backend="eager")
    with torch.no_grad():
        assert torch.equal(compiled(setup.base, setup.hidden, setup.context), setup.run())
