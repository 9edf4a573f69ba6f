"""LoRAs of every kind merged into networks and taken out again: to a rounding of what each formula says, and bit for bit."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from acetate.engine.adapters.lora_keys import sort_keys
from acetate.engine.adapters.lora_kinds import kinds_of
from acetate.engine.values.errors import ModelBroken
from acetate.engine.values.lora_tag import BLOCK_NAMES, LoraTag
from acetate.engine.weights.lora_arithmetic import difference
from acetate.engine.weights.lora_files import check_lora
from acetate.engine.weights.loras import Loras, structure_of
from safetensors.torch import save_file
from torch import Tensor, nn

from ..adapters.synthetic_loras import KINDS, SPELLINGS, SyntheticLora, synthetic_lora

TINY_LAYERS = ("encoder.layers.1.self_attn.q_proj", "encoder.layers.0.mlp.fc1")


class Base:
    """A copy of a tiny model's networks, of a type, that a test may change."""

    def __init__(self, tiny: Any, dtype: torch.dtype = torch.float32) -> None:
        self.family = tiny.family
        copies = [copy.deepcopy(network).eval().to(dtype) for network in (tiny.unet, *tiny.text_encoders)]
        self.networks: list[nn.Module] = list(copies)
        self.loras = Loras(copies[0], copies[1:])
        self.structure = structure_of(self.networks)
        self.before = self.parameters()

    def parameters(self) -> list[dict[str, Tensor]]:
        return [
            {name.removeprefix("text_model."): p.detach().clone() for name, p in network.named_parameters()}
            for network in self.networks
        ]

    def changed(self) -> set[tuple[int, str]]:
        now = self.parameters()
        return {
            (n, name) for n, before in enumerate(self.before) for name in before if not torch.equal(before[name], now[n][name])
        }

    def file(self, path: Path, kind: str, spelling: str = "kohya, ldm names", **layers: Any) -> tuple[Path, SyntheticLora]:
        made = synthetic_lora(self.family, self.structure, kind, spelling, **{"text": TINY_LAYERS, **layers})
        save_file(values(made.shapes), path)
        return path, made


def values(shapes: Mapping[str, tuple[int, ...]], dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    tensors = {key: (torch.randn(shape, generator=generator) * 0.3).to(dtype) for key, shape in shapes.items()}
    tensors |= {key: torch.tensor(2.0) for key in tensors if key.endswith(".alpha")}
    tensors |= {key: torch.tensor(1) for key in tensors if key.endswith(".on_input")}
    return tensors


def tag(unet: float = 1.0, text: float | None = None, blocks: tuple[float, ...] = ()) -> LoraTag:
    return LoraTag("ink", unet, unet if text is None else text, blocks)


def expected(own: Tensor, tensors: Mapping[str, Tensor], weight: float) -> dict[str, Tensor]:
    """Parameter -> its difference in float64, by the formulas that `test_lora_arithmetic` has compared."""
    parts = sort_keys([f"layer.{ending}" for ending in tensors]).layers["layer"]
    found = {}
    for kind in kinds_of(parts.keys()):
        taken = {part: tensors[key.removeprefix("layer.")].float() for part, key in parts.items()}
        shape = own if kind.parameter == "weight" else torch.zeros(own.shape[0])
        found[kind.parameter] = difference(kind.name, taken, shape.float()).double() * weight
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("kind", KINDS)
def test_a_merged_weight_is_the_sum_to_one_rounding_and_revert_restores_every_bit(
    tiny_sd15: Any, tmp_path: Path, kind: str, dtype: torch.dtype
) -> None:
    base = Base(tiny_sd15, dtype)
    spelling = "kohya, diffusers names"
    path, made = base.file(tmp_path / "ink.safetensors", kind, spelling)
    tensors = values(made.shapes)
    assert base.loras.require([(path, tag(0.7))])
    now = base.parameters()
    checked = set()
    for (network, layer), keys in made.layers.items():
        own = base.before[network][f"{layer}.weight"]
        for parameter, change in expected(own, {ending: tensors[key] for ending, key in keys.items()}, 0.7).items():
            name = f"{layer}.{parameter}"
            exact = base.before[network][name].double() + change
            error = (now[network][name].double() - exact).abs()
            one_rounding = torch.finfo(dtype).eps * exact.abs() + 1e-6
            assert bool((error <= one_rounding).all()), f"{name}: {float(error.max())}"
            checked.add((network, name))
    assert base.changed() == checked
    base.loras.remove()
    assert base.changed() == set()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_merges_the_same(tiny: Any, tmp_path: Path, spelling: str) -> None:
    base, other = Base(tiny), Base(tiny)
    path, _ = base.file(tmp_path / "a.safetensors", "LoHa", spelling, text=TINY_LAYERS if SPELLINGS[spelling].text else ())
    plain, _ = other.file(tmp_path / "b.safetensors", "LoHa", text=TINY_LAYERS if SPELLINGS[spelling].text else ())
    base.loras.require([(path, tag())])
    other.loras.require([(plain, tag())])
    assert base.changed()
    for ours, theirs in zip(base.parameters(), other.parameters(), strict=True):
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_networks_and_blocks_have_weights_of_their_own(tiny: Any, tmp_path: Path) -> None:
    base = Base(tiny)
    path, made = base.file(tmp_path / "ink.safetensors", "LoRA and LoCon")
    length = {"sd15": 26, "sdxl": 20}[tiny.family]
    blocks = tuple(0.0 if name == "MID" else 0.5 if name == "BASE" else 1.0 for name in BLOCK_NAMES[length])
    results = []
    for one in (tag(), tag(0.5, 0.25), tag(1.0, 0.0), tag(blocks=blocks)):
        base.loras.require([(path, one)])
        results.append([{n: p - base.before[i][n] for n, p in now.items()} for i, now in enumerate(base.parameters())])
    whole, networks, without_text, by_block = results
    for network, layer in made.layers:
        name, share = f"{layer}.weight", 0.25 if network else 0.5
        torch.testing.assert_close(networks[network][name], whole[network][name] * share, atol=1e-6, rtol=1e-4)
        torch.testing.assert_close(without_text[network][name], whole[network][name] * (not network), atol=1e-6, rtol=1e-4)
        of_block = 0.5 if network else 0.0 if layer.startswith("mid_block") else 1.0
        torch.testing.assert_close(by_block[network][name], whole[network][name] * of_block, atol=1e-6, rtol=1e-4)


def test_kinds_that_depend_on_the_weight_are_worked_out_against_the_models_own(tiny_sd15: Any, tmp_path: Path) -> None:
    base = Base(tiny_sd15)
    first, _ = base.file(tmp_path / "a.safetensors", "DoRA of rows")
    second, _ = base.file(tmp_path / "b.safetensors", "OFT")
    base.loras.require([(first, tag()), (second, tag())])
    one_way = base.parameters()
    base.loras.require([(second, tag()), (first, tag())])
    for ours, theirs in zip(base.parameters(), one_way, strict=True):
        for name in ours:
            torch.testing.assert_close(ours[name], theirs[name], atol=1e-6, rtol=1e-5)
    base.loras.require([])
    assert base.changed() == set()


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.bfloat16, torch.float16])
def test_files_of_narrow_types_are_merged_in_full_precision(tiny_sd15: Any, tmp_path: Path, dtype: torch.dtype) -> None:
    base = Base(tiny_sd15)
    made = synthetic_lora("sd15", base.structure, "LoRA and LoCon", text=TINY_LAYERS)
    narrow = {key: tensor.to(dtype) for key, tensor in values(made.shapes).items()}
    save_file(narrow, tmp_path / "narrow.safetensors")
    save_file({key: tensor.float() for key, tensor in narrow.items()}, tmp_path / "wide.safetensors")
    base.loras.require([(tmp_path / "narrow.safetensors", tag())])
    found = base.parameters()
    base.loras.require([(tmp_path / "wide.safetensors", tag())])
    for ours, theirs in zip(base.parameters(), found, strict=True):
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_token_embedding_is_changed_by_rows_of_tokens(tiny_sd15: Any, tmp_path: Path) -> None:
    base = Base(tiny_sd15)
    tokens, width = base.before[1]["embeddings.token_embedding.weight"].shape
    up, down = torch.randn(width, 2), torch.randn(2, tokens)
    key = "lora_te_text_model_embeddings_token_embedding.lora_{}.weight"
    save_file({key.format("up"): up, key.format("down"): down}, tmp_path / "ink.safetensors")
    base.loras.require([(tmp_path / "ink.safetensors", tag())])
    name = "embeddings.token_embedding.weight"
    torch.testing.assert_close(base.parameters()[1][name] - base.before[1][name], (up @ down).T, atol=1e-5, rtol=1e-5)


def test_an_alpha_in_the_file_beside_is_heeded(tiny_sd15: Any, tmp_path: Path) -> None:
    base = Base(tiny_sd15)
    path, _ = base.file(tmp_path / "adapter_model.safetensors", "PEFT", "raw PEFT `base_model.model.`")
    name = "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0.weight"
    found = []
    for beside in ({"r": 4}, {"r": 4, "lora_alpha": 8}):
        (tmp_path / "adapter_config.json").write_text(json.dumps(beside))
        base.loras.require([(path, tag())])
        found.append(base.parameters()[0][name] - base.before[0][name])
        base.loras.remove()
    torch.testing.assert_close(found[1], 2 * found[0], atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_file_with_nan_or_infinity_is_named_when_it_is_checked(tiny_sd15: Any, tmp_path: Path, value: float) -> None:
    base = Base(tiny_sd15)
    path, made = base.file(tmp_path / "ink.safetensors", "LoHa")
    assert check_lora(path, base.structure).note == ""
    tensors = values(made.shapes)
    key = sorted(tensors)[-1]
    tensors[key].view(-1)[0] = value
    save_file(tensors, tmp_path / "bad.safetensors")
    with pytest.raises(ModelBroken, match=rf"bad\.safetensors holds NaN or infinity in {key}"):
        check_lora(tmp_path / "bad.safetensors", base.structure)
