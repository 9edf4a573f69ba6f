"""A rewritten graph computes what the recorded one does, with fewer operators; what it may not touch stays as it is."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from acetate.engine.acceleration import fused_operators, graph_replay
from acetate.engine.acceleration.fusion import fuse
from acetate.engine.acceleration.graph_replay import Recording, TracedNetwork, Tracer
from acetate.engine.layerdiffuse.transparency import TransparentDecoder
from acetate.engine.layerdiffuse.upsample_conv import double_in, sum_weights
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, fx, nn

ops = torch.ops.aten
LAST = torch.channels_last


@pytest.fixture(autouse=True)
def _without_gradients() -> Any:
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def lively(network: nn.Module) -> Any:
    """With weights that matter: norms and biases of a new network are ones and zeros."""
    for parameter in network.eval().requires_grad_(False).parameters():
        parameter.normal_(0, 0.1) if parameter.ndim > 1 else parameter.uniform_(0.5, 1.5)
    return network.to(memory_format=LAST)  # type: ignore[call-overload]


def recorded(network: nn.Module, call: Callable[..., Tensor], *inputs: Tensor) -> Recording:
    with Tracer(network, inputs) as recorder:
        result = call(*inputs)
    recording = recorder.finish(result)
    assert recording is not None
    return recording


def check(network: nn.Module, call: Callable[..., Tensor], *inputs: Tensor) -> tuple[Counter[Any], Counter[Any]]:
    """Operators before and after, once both were found to compute the same."""
    plain = recorded(network, call, *inputs)
    joined = fuse(plain.graph, plentiful=True)
    assert joined is not None
    expected, found = (fx.GraphModule(plain.tensors, graph).forward(*inputs) for graph in (plain.graph, joined))
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()
    joined.lint()
    return operators(plain.graph), operators(joined)


def operators(graph: fx.Graph) -> Counter[Any]:
    return Counter(node.target for node in graph.nodes if node.op == "call_function" and node.target is not operator.getitem)


def unet_call(unet: UNet2DConditionModel, **added: Tensor) -> Callable[..., Tensor]:
    return lambda *inputs: unet(*inputs, added_cond_kwargs=added, return_dict=False)[0]


def picture(*shape: int) -> Tensor:
    return torch.randn(shape).contiguous(memory_format=LAST)


def test_a_unets_norms_gates_and_sums_are_joined(narrow_unet: UNet2DConditionModel) -> None:
    before, after = check(
        lively(narrow_unet), unet_call(narrow_unet), picture(2, 4, 8, 8), torch.tensor(5.0), torch.randn(2, 7, 24)
    )
    assert after[fused_operators.group_norm] == before[ops.native_group_norm.default]
    assert after[fused_operators.geglu] == before[ops.gelu.default]
    assert after[fused_operators.add_norm] > before[ops.native_layer_norm.default] / 2
    assert after[fused_operators.add] > 0
    assert after[ops.div.Tensor] == 1, "only that of the timestep's frequencies"
    assert after[fused_operators.double] == before[ops.upsample_nearest2d.default] and after[fused_operators.attention] > 0
    assert before.total() - after.total() + after[fused_operators.shift] > 70, "most of the others are views"


def test_sdxls_structure_is_joined(sdxl_unet: UNet2DConditionModel) -> None:
    unet = lively(sdxl_unet)
    config = unet.config
    ids = torch.zeros(2, 6)
    pooled = torch.randn(2, config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim)

    def call(sample: Tensor, timestep: Tensor, text: Tensor, pooled: Tensor, ids: Tensor) -> Tensor:
        return unet_call(unet, text_embeds=pooled, time_ids=ids)(sample, timestep, text)

    text = torch.randn(2, 7, config.cross_attention_dim)
    before, after = check(unet, call, picture(2, 4, 16, 16), torch.tensor(5.0), text, pooled, ids)
    assert after[fused_operators.geglu] == before[ops.gelu.default] > 5


def test_the_transparent_decoder_and_a_vae_are_joined() -> None:
    decoder = lively(TransparentDecoder(4, (16, 16, 32, 32), 1))
    sum_weights(decoder, False)  # as on CUDA
    before, after = check(decoder, decoder, torch.rand(2, 3, 64, 64), torch.randn(2, 4, 8, 8))
    assert after[fused_operators.group_norm] == before[ops.native_group_norm.default]
    assert after[ops.silu.default] == 0
    vae = lively(
        AutoencoderKL(
            down_block_types=["DownEncoderBlock2D"] * 2,
            up_block_types=["UpDecoderBlock2D"] * 2,
            block_out_channels=(16, 32),
            norm_num_groups=4,
        )
    )
    double_in(vae)
    sum_weights(vae, False)
    before, after = check(vae, lambda latents: vae.decode(latents, return_dict=False)[0], torch.randn(1, 4, 8, 8))
    assert after[fused_operators.group_norm] == before[ops.native_group_norm.default] - 1, "attention norms tokens"


class Block(nn.Module):
    """A convolution and a norm, in variants that look alike."""

    def __init__(self, forward: Callable[[Block, Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(4, 8, 1)
        self.norm, self.bare = nn.GroupNorm(2, 8), nn.GroupNorm(2, 8, affine=False)
        self._forward = forward

    def forward(self, x: Tensor) -> Tensor:
        return self._forward(self, x)


silu = nn.functional.silu
VARIANTS: dict[str, Callable[[Block, Tensor], Tensor]] = {
    "plain": lambda b, x: b.norm(b.first(x)),
    "two convolutions": lambda b, x: silu(b.norm(b.first(x) + b.second(x))),
    "a norm used twice": lambda b, x: (lambda y: silu(y) + y)(b.norm(b.first(x))),
    "a convolution used twice": lambda b, x: (lambda y: b.norm(y) + y)(b.first(x)),
    "a vector per channel": lambda b, x: silu(b.norm(b.first(x) + x.mean((2, 3)).repeat(1, 2)[:, :, None, None])),
    "a sum scaled by alpha": lambda b, x: b.norm(torch.add(b.first(x), b.second(x), alpha=2)),
    "a norm without weights": lambda b, x: silu(b.bare(b.first(x))),
    "a residual": lambda b, x: b.norm(b.first(x)) + b.second(x),
    "divided by one and by two": lambda b, x: b.norm(b.first(x) / 1.0) / 2.0,
}


@pytest.mark.parametrize("name", VARIANTS)
def test_neighbours_that_look_alike_are_told_apart(name: str) -> None:
    block = lively(Block(VARIANTS[name]))
    check(block, block, picture(2, 4, 6, 6))


def test_a_graph_that_changes_tensors_in_place_is_left_alone() -> None:
    block = lively(Block(lambda b, x: b.norm(b.first(x)).mul_(2)))
    assert fuse(recorded(block, block, picture(2, 4, 6, 6)).graph) is None


@pytest.fixture
def joining(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a device that has kernels."""
    monkeypatch.setattr(fused_operators, "available", lambda device: True)


def played(network: nn.Module, inputs: Tensor) -> tuple[Tensor, Counter[Any]]:
    replay_ = TracedNetwork(network)
    replay_.run([inputs], network)
    (recording,) = replay_._recorded.values()
    assert recording is not None
    return replay_.run([inputs], network), operators(recording.graph)


def test_a_joined_recording_is_played(joining: None) -> None:
    block = lively(Block(VARIANTS["plain"]))
    inputs = picture(2, 4, 6, 6)
    found, used = played(block, inputs)
    assert torch.allclose(found, block(inputs), atol=1e-6)
    assert used[fused_operators.group_norm] == 1


def test_what_computes_something_else_is_not_used(
    joining: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    block = lively(Block(VARIANTS["plain"]))
    inputs = picture(2, 4, 6, 6)
    monkeypatch.setattr(graph_replay, "fuse", _enlarged)
    found, used = played(block, inputs)
    assert torch.equal(found, block(inputs))
    assert "not joined" in caplog.text and used[fused_operators.group_norm] == 0


def test_where_a_kernel_cannot_be_compiled_torchs_are_used(
    joining: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class CompilationError(Exception):
        """As Triton's, which is no RuntimeError."""

    def fail(*arguments: Any) -> Tensor:
        raise CompilationError

    block = lively(Block(VARIANTS["plain"]))
    monkeypatch.setattr(fused_operators, "group_norm", fail)
    inputs = picture(2, 4, 6, 6)
    found, used = played(block, inputs)
    assert torch.equal(found, block(inputs)) and used[ops.native_group_norm.default] == 1
    assert "not joined: CompilationError" in caplog.text


def test_projections_are_joined_where_memory_is_plentiful_and_follow_patches(
    joining: None, narrow_unet: UNet2DConditionModel
) -> None:
    unet = lively(narrow_unet)
    call = unet_call(unet)
    inputs = [picture(2, 4, 8, 8), torch.tensor(5.0), torch.randn(2, 7, 24)]
    blocks = sum(type(module).__name__ == "BasicTransformerBlock" for module in unet.modules())
    products = {}
    for plentiful in (False, True):
        replay_ = TracedNetwork(unet)
        replay_.run(inputs, call, constant=1, plentiful=plentiful)
        for change in (1.0, 1.5):
            for name, weight in unet.named_parameters():
                if "attn1.to_k" in name:
                    weight.data.mul_(change)
            replay_.forget()
            expected = call(*inputs)
            found = replay_.run(inputs, call, constant=1, plentiful=plentiful)
            assert (found - expected).abs().max() < 1e-5 * expected.abs().max()
        (recording,) = replay_._recorded.values()
        assert recording is not None
        products[plentiful] = operators(recording.graph)[ops.mm.default]
    assert products[False] - products[True] == 2 * blocks > 0


def _enlarged(graph: fx.Graph, *, plentiful: bool) -> fx.Graph:
    joined = fuse(graph)
    assert joined is not None
    (output,) = (node for node in joined.nodes if node.op == "output")
    with joined.inserting_before(output):
        output.args = (joined.call_function(ops.mul.Tensor, (output.args[0], 1.1)),)
    return joined
