"""Adding weight files to a UNet and taking them out again (layerdiffuse.md 1.3, 1.4, 10.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from acetate.engine.families.ldm_names import diffusers_name
from acetate.engine.files.weight_files import WeightFile
from acetate.engine.layerdiffuse.attention_sharing import AttentionSharing
from acetate.engine.values.errors import ModelBroken
from acetate.engine.weights import patches
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor

RANK = 3
TARGET = "down_blocks.2.attentions.0.transformer_blocks.0.attn1.to_q.weight"
LDM_TARGET = "diffusion_model.input_blocks.7.1.transformer_blocks.0.attn1.to_q.weight"


@pytest.fixture(scope="session")
def ldm_names(golden: Path) -> dict[str, str]:
    """SDXL's diffusers parameter name -> ldm name, from the published table (not from the rule under test)."""
    rows = [line.split("\t") for line in (golden / "keys/sdxl_unet_ldm_to_diffusers.tsv").read_text().splitlines()]
    return {diffusers: ldm for ldm, diffusers, _ in rows}


def attention_file(unet: UNet2DConditionModel, ldm_names: Mapping[str, str]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    weights: dict[str, Tensor] = {}
    for name, parameter in unet.named_parameters():
        if re.search(r"attn[12]\.to_(q|k|v|out\.0)\.weight", name):
            outputs, inputs = parameter.shape
            key = f"diffusion_model.{ldm_names[name]}::lora::"
            weights[f"{key}0"] = torch.randn(outputs, RANK, generator=generator) * 0.1
            weights[f"{key}1"] = torch.randn(RANK, inputs, generator=generator) * 0.1
    return weights


def difference_file(
    unet: UNet2DConditionModel, ldm_names: Mapping[str, str], wanted: str, channels: int = 4, scale: float = 0.05
) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(2)
    weights: dict[str, Tensor] = {}
    for name, parameter in unet.named_parameters():
        if re.search(wanted, name):
            shape = list(parameter.shape)
            if name == "conv_in.weight":
                shape[1] = channels
            weights[f"diffusion_model.{ldm_names[name]}::diff::0"] = torch.randn(shape, generator=generator) * scale
    return weights


CONVOLUTION = r"^(?!.*to_[qkv]\.)(?!time_embedding|add_embedding)"
RESIDUAL = r"resnets|samplers|^conv_"


def snapshot(unet: UNet2DConditionModel) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in unet.named_parameters()}


def same_bits(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(
        a[key].shape == b[key].shape and torch.equal(a[key].contiguous().view(torch.uint8), b[key].contiguous().view(torch.uint8))
        for key in a
    )


@torch.no_grad()
def run(unet: UNet2DConditionModel, condition: Tensor | None = None) -> Tensor:
    generator = torch.Generator().manual_seed(7)
    latents, context = torch.randn(2, 4, 8, 8, generator=generator), torch.randn(2, 5, 24, generator=generator)
    added = {"text_embeds": torch.randn(2, 16, generator=generator), "time_ids": torch.ones(2, 6)}
    if condition is not None:
        latents = torch.cat([latents, condition], 1)
    result: Tensor = unet(latents, 500, encoder_hidden_states=context, added_cond_kwargs=added).sample
    return result


def test_attention_file_changes_560_weights_by_up_times_down(sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str]) -> None:
    before, weights = snapshot(sdxl_unet), attention_file(sdxl_unet, ldm_names)
    assert len(weights) == 1120
    assert patches.apply(sdxl_unet, weights, 0.7).count == 560
    after = snapshot(sdxl_unet)
    for name, ldm in ldm_names.items():
        key = f"diffusion_model.{ldm}::lora::"
        expected = before[name]
        if f"{key}0" in weights:
            expected = expected + 0.7 * (weights[f"{key}0"] @ weights[f"{key}1"])
            assert not torch.equal(after[name], before[name])
        torch.testing.assert_close(after[name], expected, atol=1e-7, rtol=1e-6)


def test_input_block_seven_is_the_first_of_its_pair(sdxl_unet: UNet2DConditionModel) -> None:
    before = snapshot(sdxl_unet)
    up, down = torch.ones(32, 1), torch.ones(1, 32)
    assert patches.apply(sdxl_unet, {f"{LDM_TARGET}::lora::0": up, f"{LDM_TARGET}::lora::1": down}).count == 1
    changed = [name for name, tensor in snapshot(sdxl_unet).items() if not torch.equal(tensor, before[name])]
    assert changed == [TARGET]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_revert_restores_every_bit(sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str], dtype: torch.dtype) -> None:
    sdxl_unet.to(dtype)
    with torch.no_grad():
        sdxl_unet.get_parameter(TARGET)[0, 0] = -0.0
    before, parameters = snapshot(sdxl_unet), dict(sdxl_unet.named_parameters())
    for weights in (
        attention_file(sdxl_unet, ldm_names),
        difference_file(sdxl_unet, ldm_names, CONVOLUTION),
        difference_file(sdxl_unet, ldm_names, RESIDUAL, 12),
    ):
        patch = patches.apply(sdxl_unet, weights)
        assert not same_bits(snapshot(sdxl_unet), before)
        patch.revert()
        patch.revert()
        assert same_bits(snapshot(sdxl_unet), before)
        assert all(parameter is parameters[name] for name, parameter in sdxl_unet.named_parameters())
        assert sdxl_unet.conv_in.weight.shape[1] == sdxl_unet.conv_in.in_channels == 4


def test_strength_zero_keeps_every_bit(sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str]) -> None:
    with torch.no_grad():
        sdxl_unet.get_parameter(TARGET)[0, 0] = -0.0
    before = snapshot(sdxl_unet)
    patches.apply(sdxl_unet, attention_file(sdxl_unet, ldm_names), 0.0)
    assert same_bits(snapshot(sdxl_unet), before)


def test_strength_is_linear(sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str]) -> None:
    weights, before, changes = attention_file(sdxl_unet, ldm_names), snapshot(sdxl_unet), []
    for strength in (1.0, 2.0):
        patch = patches.apply(sdxl_unet, weights, strength)
        changes.append({name: tensor - before[name] for name, tensor in snapshot(sdxl_unet).items()})
        patch.revert()
    for name in before:
        torch.testing.assert_close(changes[1][name], 2 * changes[0][name], atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match="weight is nan"):
        patches.apply(sdxl_unet, weights, float("nan"))


def test_half_weights_are_summed_in_full_precision(sdxl_unet: UNet2DConditionModel) -> None:
    sdxl_unet.half()
    base = sdxl_unet.get_parameter(TARGET).detach().clone()
    up, down = torch.full((32, 2), 1.0), torch.full((2, 32), 3e-4)
    patches.apply(sdxl_unet, {f"{LDM_TARGET}::lora::0": up.half(), f"{LDM_TARGET}::lora::1": down.half()}, 0.5)
    expected = (base.float() + 0.5 * (up.half().float() @ down.half().float())).half()
    assert torch.equal(sdxl_unet.get_parameter(TARGET), expected)


def test_convolution_file_changes_everything_but_queries_keys_values_and_embeddings(
    sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str]
) -> None:
    weights = difference_file(sdxl_unet, ldm_names, CONVOLUTION)
    assert patches.apply(sdxl_unet, weights).count == len(weights) == 1252


@pytest.mark.parametrize("channels", [8, 12])
def test_conditioned_files_widen_the_input(sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str], channels: int) -> None:
    before = run(sdxl_unet)
    weights = difference_file(sdxl_unet, ldm_names, RESIDUAL, channels, scale=0.0)
    assert len(weights) == 206
    patch = patches.apply(sdxl_unet, weights)
    assert patch.count == 206
    assert sdxl_unet.conv_in.weight.shape[1] == sdxl_unet.conv_in.in_channels == channels
    assert sdxl_unet.config.in_channels == 4
    assert sdxl_unet.conv_in.bias.shape == (8,)
    for seed in (0, 1):
        condition = torch.randn(2, channels - 4, 8, 8, generator=torch.Generator().manual_seed(seed))
        torch.testing.assert_close(run(sdxl_unet, condition), before, atol=1e-5, rtol=0)
    patch.revert()
    assert torch.equal(run(sdxl_unet), before)


def test_only_the_difference_sees_the_condition(sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str]) -> None:
    weights = difference_file(sdxl_unet, ldm_names, RESIDUAL, 8, scale=0.0)
    weights["diffusion_model.input_blocks.0.0.weight::diff::0"][:, 4:] = 0.3
    base = sdxl_unet.conv_in.weight.detach().clone()
    patches.apply(sdxl_unet, weights, 0.5)
    assert torch.equal(sdxl_unet.conv_in.weight[:, :4], base)
    assert torch.equal(sdxl_unet.conv_in.weight[:, 4:], torch.full((8, 4, 3, 3), 0.15))
    zeros, ones = torch.zeros(2, 4, 8, 8), torch.ones(2, 4, 8, 8)
    assert (run(sdxl_unet, zeros) - run(sdxl_unet, ones)).abs().max() > 1e-3


def test_a_narrow_change_fits_a_widened_input(sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str]) -> None:
    before = snapshot(sdxl_unet)
    first = patches.apply(sdxl_unet, difference_file(sdxl_unet, ldm_names, RESIDUAL, 8))
    widened = snapshot(sdxl_unet)["conv_in.weight"]
    change = torch.ones(8, 4, 3, 3)
    second = patches.apply(sdxl_unet, {"diffusion_model.input_blocks.0.0.weight::diff::0": change})
    torch.testing.assert_close(sdxl_unet.conv_in.weight[:, :4], widened[:, :4] + 1)
    assert torch.equal(sdxl_unet.conv_in.weight[:, 4:], widened[:, 4:])
    with pytest.raises(ValueError, match="a later patch is still applied"):
        first.revert()
    second.revert()
    first.revert()
    assert same_bits(snapshot(sdxl_unet), before)


def test_files_with_diffusers_names_say_the_same(sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str]) -> None:
    weights = attention_file(sdxl_unet, ldm_names)
    patch = patches.apply(sdxl_unet, weights)
    expected = snapshot(sdxl_unet)
    patch.revert()
    pairs = {}
    for key in weights:
        if key.endswith("::lora::0"):
            name = diffusers_name(key.removeprefix("diffusion_model.").removesuffix("::lora::0"))
            assert name is not None
            pairs[name.removesuffix(".weight")] = (weights[key], weights[key[:-1] + "1"])
    spellings: list[dict[str, Tensor]] = [
        {f"{path}.weight": up @ down for path, (up, down) in pairs.items()},
        {f"unet.{path}.lora_{part}.weight": t for path, pair in pairs.items() for part, t in zip("BA", pair, strict=True)},
        {
            f"unet.{path}.lora.{part}.weight": t
            for path, pair in pairs.items()
            for part, t in zip(("up", "down"), pair, strict=True)
        },
        {
            re.sub(r"\.(to_[a-z]+)(\.0)?$", r".processor.\1_lora", path) + f".{part}.weight": t
            for path, pair in pairs.items()
            for part, t in zip(("up", "down"), pair, strict=True)
        },
        {f"{path}.lora_{part}.default.weight": t for path, pair in pairs.items() for part, t in zip("BA", pair, strict=True)}
        | {f"{path}.alpha": torch.tensor(float(RANK)) for path in pairs},
    ]
    for spelling in spellings:
        patch = patches.apply(sdxl_unet, spelling)
        assert patch.count == 560
        for name, tensor in snapshot(sdxl_unet).items():
            torch.testing.assert_close(tensor, expected[name], atol=1e-6, rtol=0)
        patch.revert()


def test_merging_equals_an_adapter_of_diffusers(sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str]) -> None:
    weights = attention_file(sdxl_unet, ldm_names)
    patch = patches.apply(sdxl_unet, weights, 0.6)
    merged = run(sdxl_unet)
    patch.revert()
    adapter = {}
    for key, tensor in weights.items():
        name, _, part = key.removeprefix("diffusion_model.").split("::")
        target = diffusers_name(name)
        assert target is not None
        adapter[f"unet.{target.removesuffix('.weight')}.lora_{'BA'[int(part)]}.weight"] = tensor
    sdxl_unet.load_lora_adapter(adapter, prefix="unet", adapter_name="layerdiffuse")
    sdxl_unet.set_adapters("layerdiffuse", 0.6)
    torch.testing.assert_close(run(sdxl_unet), merged, atol=1e-5, rtol=0)


def test_alpha_and_convolutions_scale_as_loras_do(sdxl_unet: UNet2DConditionModel) -> None:
    name = "down_blocks.0.resnets.0.conv1"
    up, down = torch.randn(8, RANK, 1, 1), torch.randn(RANK, 8, 3, 3)
    before = sdxl_unet.get_parameter(f"{name}.weight").detach().clone()
    weights = {f"{name}.lora.up.weight": up, f"{name}.lora.down.weight": down, f"{name}.alpha": torch.tensor(1.5)}
    patches.apply(sdxl_unet, weights, 0.8)
    with torch.no_grad():
        x = torch.randn(1, 8, 5, 5)
        low_rank = torch.nn.functional.conv2d(torch.nn.functional.conv2d(x, down, padding=1), up) * 0.8 * 1.5 / RANK
        plain = torch.nn.functional.conv2d(x, before, padding=1)
        patched = torch.nn.functional.conv2d(x, sdxl_unet.get_parameter(f"{name}.weight"), padding=1)
    torch.testing.assert_close(patched, plain + low_rank, atol=1e-4, rtol=1e-4)


def test_a_half_file_is_read_tensor_by_tensor(sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str], tmp_path: Path) -> None:
    weights = {key: tensor.half() for key, tensor in attention_file(sdxl_unet, ldm_names).items()}
    save_file(weights, tmp_path / "attn.safetensors")
    patch = patches.apply(sdxl_unet, weights)
    expected = snapshot(sdxl_unet)
    patch.revert()
    with WeightFile(tmp_path / "attn.safetensors") as file:
        assert patches.apply(sdxl_unet, file).count == 560
    assert same_bits(snapshot(sdxl_unet), expected)


def test_unknown_partial_and_misfitting_files_change_nothing(sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str]) -> None:
    before, attention = snapshot(sdxl_unet), attention_file(sdxl_unet, ldm_names)
    residual = difference_file(sdxl_unet, ldm_names, RESIDUAL, 8)
    convolution = difference_file(sdxl_unet, ldm_names, CONVOLUTION)
    key = f"{LDM_TARGET}::lora::"

    def message(weights: dict[str, Tensor]) -> str:
        with pytest.raises(ModelBroken) as caught:
            patches.apply(sdxl_unet, weights)
        assert same_bits(snapshot(sdxl_unet), before)
        assert not patches.stack(sdxl_unet)
        return str(caught.value)

    def without(weights: dict[str, Tensor], start: str) -> dict[str, Tensor]:
        return {name: tensor for name, tensor in weights.items() if not name.startswith(start)}

    one = torch.ones(1)
    assert "diffusion_model.nowhere.weight::diff::0" in message(attention | {"diffusion_model.nowhere.weight::diff::0": one})
    foreign = "diffusion_model.input_blocks.1.1.proj_in.weight::diff::0"  # SD 1.5 has it, SDXL does not
    assert foreign in message(attention | {foreign: one})
    for spelling in (f"{LDM_TARGET}::loha::0", f"{LDM_TARGET}::lora::2", f"{LDM_TARGET}::lora", f"model.{LDM_TARGET}::diff::0"):
        assert spelling in message({spelling: one})
    assert "up_blocks.9.what.weight" in message({"up_blocks.9.what.weight": one})
    assert f"halves of LoRA pairs: {key}0" in message(without(attention, f"{key}1"))
    assert f"559 of the 560 attention projections, but not {TARGET}" in message(without(attention, key))
    assert "205 of the 206" in message(without(residual, "diffusion_model.out.2.bias"))
    assert "1251 of the 1252" in message(without(convolution, "diffusion_model.input_blocks.4.1.norm.bias"))
    assert f"{TARGET} is (32, 32), its change (32, 16)" in message(attention | {f"{key}1": torch.ones(RANK, 16)})
    assert "its change ()" in message(attention | {f"{key}1": torch.ones(RANK + 1, 32)})
    wide = {"diffusion_model.out.2.weight::diff::0": torch.ones(4, 12, 3, 3)}
    assert "conv_out.weight is (4, 8, 3, 3), its change (4, 12, 3, 3)" in message(residual | wide)
    assert "empty" in message({})


def test_a_failure_midway_restores_what_was_done(sdxl_unet: UNet2DConditionModel, ldm_names: dict[str, str]) -> None:
    class Failing(dict[str, Tensor]):
        """A file on a medium that breaks after 300 reads."""

        reads = 0

        def __getitem__(self, key: str) -> Tensor:
            self.reads += 1
            if self.reads > 300:
                raise OSError("the disk is gone")
            return super().__getitem__(key)

    before = snapshot(sdxl_unet)
    with pytest.raises(OSError, match="the disk is gone"):
        patches.apply(
            sdxl_unet, Failing(difference_file(sdxl_unet, ldm_names, RESIDUAL, 8) | attention_file(sdxl_unet, ldm_names))
        )
    assert same_bits(snapshot(sdxl_unet), before)
    assert sdxl_unet.conv_in.weight.shape[1] == 4


def test_patching_under_attention_sharing_is_refused(
    sd15_unet: UNet2DConditionModel,
    fill: Callable[[Mapping[str, tuple[int, ...]]], dict[str, Tensor]],
    units: Callable[..., dict[str, tuple[int, ...]]],
) -> None:
    change = {"diffusion_model.out.2.bias::diff::0": torch.ones(4)}
    patch = patches.apply(sd15_unet, change)
    sharing = AttentionSharing(sd15_unet, fill(units(sd15_unet, 1)))
    with pytest.raises(ValueError, match="attention sharing is installed"):
        patches.apply(sd15_unet, change)
    with pytest.raises(ValueError, match="attention sharing is installed"):
        patch.revert()
    sharing.remove()
    patch.revert()
