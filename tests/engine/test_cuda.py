"""On a CUDA device: joined kernels compute what torch's do, captured calls what plain ones do, and layers are the CPU's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from acetate.engine import Engine, Picture, Request
from acetate.engine.acceleration import fused_operators
from acetate.engine.acceleration.graph_replay import TracedNetwork
from acetate.engine.device.host_lead import OneStepAhead
from diffusers import UNet2DConditionModel
from torch import Tensor

pytestmark = pytest.mark.gpu

CUDA = torch.device("cuda")
TOLERANCE = {torch.float32: 1e-4, torch.float16: 0.03, torch.bfloat16: 0.2}
SHAPES = [(2, 320, 128, 128, 32), (4, 32, 256, 256, 4), (2, 1280, 32, 32, 32), (1, 960, 9, 7, 32), (1, 8, 1, 1, 4)]


@pytest.fixture(autouse=True)
def _without_gradients() -> Any:
    with torch.no_grad():
        yield


def picture(*shape: int, dtype: torch.dtype) -> Tensor:
    return (torch.randn(shape, device=CUDA) * 3 + 5).to(dtype).contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_group_norm_with_what_is_around_it(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    *size, groups = shape
    x = picture(*size, dtype=dtype)
    weight, bias, shift = (
        torch.randn(size[1], device=CUDA),
        torch.randn(size[1], device=CUDA),
        torch.randn(*size[:2], device=CUDA),
    )
    expected = F.silu(F.group_norm(x.float() + shift.to(dtype).float()[:, :, None, None], groups, weight, bias, 1e-5))
    found = fused_operators.group_norm([x], weight.to(dtype), bias.to(dtype), groups, 1e-5, shift.to(dtype), True)
    assert (found.float() - expected).abs().max() < TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("channels", [(32, 32), (64, 32), (24, 40)], ids=str)
def test_two_pictures_side_by_side_are_normed_and_mixed_as_one(channels: tuple[int, int], dtype: torch.dtype) -> None:
    parts = [picture(2, width, 70, 33, dtype=dtype) for width in channels]
    together = torch.cat(parts, dim=1).float()
    weight, bias = torch.randn(sum(channels), device=CUDA), torch.randn(sum(channels), device=CUDA)
    normed = fused_operators.group_norm(parts, weight.to(dtype), bias.to(dtype), 4, 1e-5, None, False)
    expected = F.group_norm(together, 4, weight.to(dtype).float(), bias.to(dtype).float(), 1e-5)
    assert (normed.float() - expected).abs().max() < TOLERANCE[dtype]
    mix, shift = (torch.randn(32, sum(channels), 1, 1, device=CUDA) / 8).to(dtype), torch.randn(32, device=CUDA).to(dtype)
    residual = picture(2, 32, 70, 33, dtype=dtype)
    mixed = torch.einsum("oc,nchw->nohw", mix.double().flatten(1), together.double())  # torch's float32 may be TF32
    expected = (mixed + residual.double() + shift.double()[:, None, None]).float()
    assert (fused_operators.mixed(parts, mix, residual, shift).float() - expected).abs().max() < 2 * TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_pictures_are_doubled_and_shifted(dtype: torch.dtype) -> None:
    x, shift = picture(2, 40, 33, 17, dtype=dtype), torch.randn(40, device=CUDA).to(dtype)
    assert torch.equal(fused_operators.double(x), F.interpolate(x, scale_factor=2.0))
    expected = x + shift[:, None, None]
    assert torch.equal(fused_operators.shift(x, shift), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("shape", [(2, 4, 1024, 1024, 8), (2, 3, 200, 77, 8), (1, 2, 130, 154, 12), (1, 1, 1, 1, 8)], ids=str)
def test_attention_with_narrow_heads(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    samples, heads, queries, keys, wide = shape
    q, k, v = (
        torch.randn(samples, tokens, heads, wide, device=CUDA).to(dtype).transpose(1, 2) for tokens in (queries, keys, keys)
    )
    expected = F.scaled_dot_product_attention(q.float(), k.float(), v.float())
    found = fused_operators.attention(q, k, v, None)
    assert (found.float() - expected).abs().max() < TOLERANCE[dtype] / 4
    assert found.stride() == q.stride()


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_gates_norms_of_sums_and_residuals_with_bias(dtype: torch.dtype) -> None:
    x, y = (torch.randn(2, 1024, 640, device=CUDA).to(dtype) for _ in range(2))
    weight, bias = torch.randn(640, device=CUDA).to(dtype), torch.randn(640, device=CUDA).to(dtype)
    value, gate = x.float().chunk(2, dim=-1)
    total, normed = fused_operators.add_norm(x, y, weight, bias, 1e-5)
    a, b, shift = picture(2, 24, 33, 17, dtype=dtype), picture(2, 24, 33, 17, dtype=dtype), torch.randn(24, device=CUDA).to(dtype)

    assert (fused_operators.geglu(x).float() - value * F.gelu(gate)).abs().max() < TOLERANCE[dtype]
    assert torch.equal(total, x + y)
    expected = F.layer_norm((x + y).float(), (640,), weight.float(), bias.float(), 1e-5)
    assert (normed.float() - expected).abs().max() < TOLERANCE[dtype]
    assert (
        fused_operators.add(a, b, shift).float() - (a.float() + b.float() + shift.float()[:, None, None])
    ).abs().max() < TOLERANCE[dtype]


def test_a_captured_call_sees_other_inputs_and_changed_and_moved_weights(narrow_unet: UNet2DConditionModel) -> None:
    unet = narrow_unet.to(CUDA, torch.float16).to(memory_format=torch.channels_last)
    replay = TracedNetwork(unet)

    def call(*inputs: Tensor) -> Tensor:
        result: Tensor = unet(*inputs, return_dict=False)[0]
        return result

    for turn in range(6):
        inputs = [
            picture(2, 4, 32, 32, dtype=torch.float16),
            torch.tensor(900.0, device=CUDA),
            torch.randn(2, 7, 24, device=CUDA).half(),
        ]
        if turn == 3:
            unet.conv_in.weight.mul_(0.5)
        if turn == 4:
            unet.conv_out.weight.data = unet.conv_out.weight.data.clone() * 2
        assert (replay.run(inputs, call) - call(*inputs)).abs().max() < 0.02, turn
    (recording,) = replay._recorded.values()
    assert recording is not None and recording._launch._captured is not None


def test_the_host_waits_for_all_steps_but_the_latest() -> None:
    long, pace = 200_000_000, OneStepAhead(CUDA)  # clock ticks: a tenth of a second
    marks = []
    for _ in range(4):
        torch.cuda._sleep(long)
        marks.append(torch.Event(CUDA))
        marks[-1].record()
        pace.step()
        *before, latest = [mark.query() for mark in marks]
        assert all(before) and not latest


@pytest.mark.parametrize("task", ["foreground", "scene"])
def test_the_built_in_model_draws_what_it_draws_on_a_cpu(task: str) -> None:
    request = Request(task=task, prompt="a red apple in the meadow", seed=4)  # type: ignore[arg-type]
    here, there = ([item for item in Engine(device).run(request) if isinstance(item, Picture)] for device in ("cpu", "cuda"))
    assert len(here) == len(there) > 0
    for one, other in zip(here, there, strict=True):
        assert np.abs(one.rgba[..., 3].astype(int) - other.rgba[..., 3]).mean() < 8, "16 bit moves outlines a little"


def test_a_decode_is_a_graph_when_its_size_comes_again_and_gives_that_memory_back() -> None:
    engine = Engine("cuda")
    request = Request(prompt="a fox", steps=2, alpha_passes=8)
    layers = [next(item for item in engine.run(request) if isinstance(item, Picture)).rgba for _ in range(4)]
    model = engine.open("sketchpad")
    traced = [model.accelerator._traced[network] for network in (model.codec.networks[0], model.codec.networks[-1])]  # type: ignore[attr-defined]
    graphs = [recording._launch._captured for network in traced for recording in network._recorded.values()]
    assert len(graphs) == 2 and None not in graphs
    for layer in layers[2:]:
        assert np.abs(layer.astype(int) - layers[1]).max() <= 1
    held = torch.cuda.memory_allocated()
    model.accelerator.release()
    assert torch.cuda.memory_allocated() < held


def test_jobs_leave_no_memory_behind() -> None:
    engine = Engine("cuda")
    held = []
    for seed in range(40):
        size = (128, 128) if seed % 2 else (192, 128)
        list(engine.run(Request(prompt="a fox", seed=seed, steps=4, width=size[0], height=size[1])))
        held.append(torch.cuda.memory_allocated())
    assert len(set(held[10:])) <= 2, held
