"""Installing the units into a UNet, and taking them out again (layerdiffuse.md 4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from acetate.engine.files.weight_files import WeightFile
from acetate.engine.layerdiffuse.attention_sharing import AttentionSharing, attention_layers
from acetate.engine.layerdiffuse.attention_unit import AttentionSharingUnit
from acetate.engine.values.errors import ModelBroken
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]
Fill = Callable[[Mapping[str, tuple[int, ...]]], dict[str, Tensor]]
Units = Callable[..., Shapes]


@torch.no_grad()
def run(unet: UNet2DConditionModel, batch: int, *, size: int = 8, frames_differ: bool = False) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    latents = torch.randn(1, 4, size, size, generator=generator).repeat(batch, 1, 1, 1)
    context = torch.randn(batch, 7, unet.config.cross_attention_dim, generator=generator)
    if not frames_differ:
        context = context[:1].repeat(batch, 1, 1)
    result: Tensor = unet(latents, 500, encoder_hidden_states=context).sample
    return result


def test_units_follow_the_published_order(sd15_unet: UNet2DConditionModel, golden: Path) -> None:
    table = re.findall(r"^\d+\t\S+\t(\S+)\t", (golden / "keys/sd15_attention_sharing_keys.txt").read_text(), re.MULTILINE)
    assert len(table) == 32
    assert [layer.name for layer in attention_layers(sd15_unet)] == table


@pytest.mark.parametrize(("frames", "controlled", "count"), [(1, False, 640), (3, False, 32 * (3 * 8 + 12)), (2, True, 1180)])
def test_a_file_has_the_published_number_of_tensors(
    sd15_unet: UNet2DConditionModel, fill: Fill, units: Units, frames: int, controlled: bool, count: int
) -> None:
    weights = fill(units(sd15_unet, frames, controlled=controlled))
    assert len(weights) == count
    sharing = AttentionSharing(sd15_unet, weights)
    assert (sharing.frames, sharing.needs_control) == (frames, controlled)
    assert sum(isinstance(p, AttentionSharingUnit) for p in sd15_unet.attn_processors.values()) == 32


def test_published_shapes_are_accepted(fill: Fill, units: Units, golden: Path) -> None:
    """The key table of `layer_sd15_transparent_attn` equals what is expected of a file for a UNet of SD 1.5's real widths."""
    text = (golden / "keys/sd15_attention_sharing_keys.txt").read_text()
    rows = re.findall(r"^(hookers\.\S+)\t\(([\d, ]+)\)$", text, re.MULTILINE)
    published = {key: tuple(int(n) for n in shape.split(",") if n.strip()) for key, shape in rows[:640]}
    with torch.device("meta"):
        unet = UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8)
    assert units(unet, 1, rank=256) == published


def test_remove_restores_exactly(sd15_unet: UNet2DConditionModel, fill: Fill, units: Units) -> None:
    before, keys, processors = run(sd15_unet, 6), list(sd15_unet.state_dict()), sd15_unet.attn_processors
    sharing = AttentionSharing(sd15_unet, fill(units(sd15_unet, 3)))
    assert not torch.allclose(run(sd15_unet, 6), before)
    sharing.remove()
    sharing.remove()
    assert torch.equal(run(sd15_unet, 6), before)
    assert list(sd15_unet.state_dict()) == keys
    assert all(processor is processors[name] for name, processor in sd15_unet.attn_processors.items())


def test_zeroed_outputs_leave_the_unet_as_it_was(sd15_unet: UNet2DConditionModel, fill: Fill, units: Units) -> None:
    before = run(sd15_unet, 6, frames_differ=True)
    weights = fill(units(sd15_unet, 3))
    for key, tensor in weights.items():
        if ".up." in key or ".temporal_o." in key:
            tensor.zero_()
    AttentionSharing(sd15_unet, weights)
    torch.testing.assert_close(run(sd15_unet, 6, frames_differ=True), before, atol=1e-5, rtol=0)


def test_pictures_are_independent_and_frames_are_not(sd15_unet: UNet2DConditionModel, fill: Fill, units: Units) -> None:
    AttentionSharing(sd15_unet, fill(units(sd15_unet, 3)))
    context = torch.randn(6, 7, 24, generator=torch.Generator().manual_seed(2))
    latents = torch.randn(6, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        before = sd15_unet(latents, 500, encoder_hidden_states=context).sample
        context[1] += 1  # picture 0, frame 1
        after = sd15_unet(latents, 500, encoder_hidden_states=context).sample
    assert all((after[i] - before[i]).abs().max() > 1e-4 for i in range(3))
    torch.testing.assert_close(after[3:], before[3:], atol=1e-6, rtol=0)


def test_the_control_image_steers_every_frame(sd15_unet: UNet2DConditionModel, fill: Fill, units: Units) -> None:
    sharing = AttentionSharing(sd15_unet, fill(units(sd15_unet, 2, controlled=True)))
    dark, bright = torch.zeros(1, 3, 64, 128), torch.ones(1, 3, 64, 128)
    latents = torch.randn(4, 4, 8, 16, generator=torch.Generator().manual_seed(3))
    context = torch.zeros(4, 7, 24)
    results = []
    with torch.no_grad():
        for image in (dark, bright, dark):
            sharing.set_control(image)
            results.append(sd15_unet(latents, 500, encoder_hidden_states=context).sample)
    assert torch.equal(results[0], results[2])
    assert all((results[0][i] - results[1][i]).abs().max() > 1e-4 for i in range(4))


def test_a_control_image_of_another_size_is_refused(sd15_unet: UNet2DConditionModel, fill: Fill, units: Units) -> None:
    sharing = AttentionSharing(sd15_unet, fill(units(sd15_unet, 2, controlled=True)))
    with pytest.raises(ValueError, match=r"\(1, 3, 96, 64\).*multiples of 64"):
        sharing.set_control(torch.zeros(1, 3, 96, 64))
    sharing.set_control(torch.zeros(1, 3, 128, 128))
    with pytest.raises(ValueError, match="256 tokens where the latents have 64"):
        run(sd15_unet, 2)
    plain = AttentionSharing(UNet2DConditionModel.from_config(sd15_unet.config), fill(units(sd15_unet, 1)))
    with pytest.raises(ValueError, match="take no control image"):
        plain.set_control(torch.zeros(1, 3, 64, 64))


def test_a_smaller_unet_takes_units_too(fill: Fill, units: Units) -> None:
    """As the built-in model: three levels, one block each, attention at the two lower ones, three heads."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        in_channels=8,
        out_channels=8,
        block_out_channels=(12, 24, 24),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=24,
        attention_head_dim=3,
        norm_num_groups=4,
    ).eval()
    layers = list(attention_layers(unet))
    assert [layer.level for layer in layers] == [1, 1, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 2, 2]
    weights = fill(units(unet, 2, controlled=True, rank=3))
    weights = {key: tensor for key, tensor in weights.items() if "blocks_3" not in key}
    sharing = AttentionSharing(unet, weights)
    sharing.set_control(torch.rand(1, 3, 64, 64))
    with torch.no_grad():
        result = unet(torch.randn(2, 8, 8, 8), 500, encoder_hidden_states=torch.randn(2, 7, 24)).sample
    assert result.isfinite().all()


def test_a_half_file_serves_a_unet_of_any_type(sd15_unet: UNet2DConditionModel, fill: Fill, units: Units, tmp_path: Path) -> None:
    weights = fill(units(sd15_unet, 3))
    save_file({key: tensor.half() for key, tensor in weights.items()}, tmp_path / "joint.safetensors")
    AttentionSharing(sd15_unet, {key: tensor.half() for key, tensor in weights.items()})
    expected = run(sd15_unet, 3)
    other = UNet2DConditionModel.from_config(sd15_unet.config)
    other.load_state_dict({key: tensor for key, tensor in sd15_unet.state_dict().items() if ".processor." not in key})
    other.eval()
    with WeightFile(tmp_path / "joint.safetensors") as file:
        AttentionSharing(other, file)
    assert torch.equal(run(other, 3), expected)
    assert {parameter.dtype for parameter in other.parameters()} == {torch.float32}


def test_damaged_weights_are_refused_and_nothing_is_installed(sd15_unet: UNet2DConditionModel, fill: Fill, units: Units) -> None:
    weights = fill(units(sd15_unet, 1))
    before, key = dict(sd15_unet.attn_processors), "hookers.layers.7.temporal_q.bias"

    def message(changed: dict[str, Tensor]) -> str:
        with pytest.raises(ModelBroken) as caught:
            AttentionSharing(sd15_unet, changed)
        assert sd15_unet.attn_processors == before
        return str(caught.value)

    assert key in message({k: t for k, t in weights.items() if k != key})
    assert "unknown keys: hookers.layers.3.extra" in message(weights | {"hookers.layers.3.extra": torch.zeros(1)})
    assert f"{key} is (5,) instead of (16,)" in message(weights | {key: torch.zeros(5)})
    assert "31 attention-sharing units, the UNet has 32" in message(
        {k: t for k, t in weights.items() if not k.startswith("hookers.layers.31.")}
    )
    assert "not attention-sharing weights" in message({"conv_in.weight": torch.zeros(1)})


def test_weights_of_another_family_are_refused(
    sdxl_unet: UNet2DConditionModel, sd15_unet: UNet2DConditionModel, fill: Fill, units: Units
) -> None:
    with pytest.raises(ModelBroken, match="32 attention-sharing units, the UNet has 140 attention layers"):
        AttentionSharing(sdxl_unet, fill(units(sd15_unet, 1)))


def test_units_do_not_stack(sd15_unet: UNet2DConditionModel, fill: Fill, units: Units) -> None:
    weights = fill(units(sd15_unet, 1))
    AttentionSharing(sd15_unet, weights)
    with pytest.raises(ValueError, match="already has the processor AttentionSharingUnit"):
        AttentionSharing(sd15_unet, weights)


def test_a_hosts_foreign_arguments_do_no_harm(sd15_unet: UNet2DConditionModel, fill: Fill, units: Units) -> None:
    AttentionSharing(sd15_unet, fill(units(sd15_unet, 1)))
    latents, context = torch.randn(1, 4, 8, 8), torch.randn(1, 7, 24)
    with torch.no_grad():
        plain = sd15_unet(latents, 500, context).sample
        foreign = sd15_unet(latents, 500, context, cross_attention_kwargs={"transformer_options": {"x": 1}}).sample
    assert torch.equal(plain, foreign)


def test_a_shared_transformer_compiles_without_a_graph_break(sd15_unet: UNet2DConditionModel, fill: Fill, units: Units) -> None:
    AttentionSharing(sd15_unet, fill(units(sd15_unet, 3)))
    transformer = sd15_unet.mid_block.attentions[0].transformer_blocks[0]
    hidden, context = torch.randn(3, 16, 32), torch.randn(3, 7, 24)
    with torch.no_grad():
        expected = transformer(hidden, encoder_hidden_states=context)
        compiled = torch.compile(transformer, fullgraph=True, backend="eager")
        torch.testing.assert_close(compiled(hidden, encoder_hidden_states=context), expected, atol=1e-6, rtol=0)
