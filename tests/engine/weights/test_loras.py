"""LoRAs of every spelling, merged and taken out."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from acetate.engine.families.ldm_names import ldm_paths
from acetate.engine.values.errors import ModelBroken
from acetate.engine.values.lora_tag import LoraTag
from acetate.engine.weights import patches
from acetate.engine.weights.loras import Loras
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline
from safetensors.torch import save_file
from torch import Tensor, nn

RANK, ALPHA = 2, 1.0
Pairs = dict[tuple[int, str], tuple[Tensor, Tensor]]


class Base:
    """A copy of a tiny model's networks that a test may change."""

    def __init__(self, tiny: Any) -> None:
        self.family = tiny.family
        self.unet = copy.deepcopy(tiny.unet).eval()
        self.encoders = [copy.deepcopy(encoder).eval() for encoder in tiny.text_encoders]
        self.networks: list[nn.Module] = [self.unet, *self.encoders]
        self.before = [{k: p.detach().clone() for k, p in n.named_parameters()} for n in self.networks]

    def changes(self) -> dict[tuple[int, str], Tensor]:
        return {
            (i, name): parameter.detach() - self.before[i][name]
            for i, network in enumerate(self.networks)
            for name, parameter in network.named_parameters()
            if not torch.equal(parameter, self.before[i][name])
        }

    def pairs(self, wanted: str = r"attn[12]\.to_|ff\.net|proj_in|conv1$|self_attn|fc[12]|^conv_in") -> Pairs:
        """Up and down for the layers that match."""
        torch.manual_seed(3)
        pairs: Pairs = {}
        for index, network in enumerate(self.networks):
            for name, layer in network.named_modules():
                if isinstance(layer, nn.Linear | nn.Conv2d) and re.search(wanted, name):
                    outputs, inputs, *kernel = layer.weight.shape
                    ones = [1] * len(kernel)
                    pairs[index, name] = (torch.randn(outputs, RANK, *ones) * 0.1, torch.randn(RANK, inputs, *kernel) * 0.1)
        return pairs

    def check(self, pairs: Pairs, weight: float) -> None:
        changed = self.changes()
        assert changed.keys() == {(index, f"{name}.weight") for index, name in pairs}
        for (index, name), (up, down) in pairs.items():
            expected = (up.flatten(1) @ down.flatten(1)).reshape(changed[index, f"{name}.weight"].shape) * weight
            torch.testing.assert_close(changed[index, f"{name}.weight"], expected, atol=1e-6, rtol=1e-4)


def encoder_path(index: int, name: str) -> str:
    inner = name.removeprefix("text_model.")
    return inner if inner.startswith("text_projection") else f"text_model.{inner}"


def kohya(base: Base, pairs: Pairs) -> dict[str, Tensor]:
    """SD 1.5's UNet in diffusers' names, SDXL's in ldm's, as kohya's trainer writes them."""
    tensors = {}
    for (index, name), (up, down) in pairs.items():
        if index == 0:
            path = name if base.family == "sd15" else ldm_paths(name)[0]
            key = f"lora_unet_{path.replace('.', '_')}"
        else:
            prefix = "lora_te" if base.family == "sd15" else f"lora_te{index}"
            key = f"{prefix}_{encoder_path(index, name).replace('.', '_')}"
        tensors |= {f"{key}.lora_up.weight": up, f"{key}.lora_down.weight": down, f"{key}.alpha": torch.tensor(ALPHA)}
    return tensors


def dotted(index: int, name: str) -> str:
    return f"unet.{name}" if index == 0 else f"text_encoder{'_2' if index == 2 else ''}.{encoder_path(index, name)}"


def peft(base: Base, pairs: Pairs) -> dict[str, Tensor]:
    return {
        f"{dotted(index, name)}.lora_{part}.weight": tensor
        for (index, name), pair in pairs.items()
        for part, tensor in zip("BA", pair, strict=True)
    }


def old_diffusers(base: Base, pairs: Pairs) -> dict[str, Tensor]:
    tensors = {}
    for (index, name), pair in pairs.items():
        key = re.sub(r"\.(to_[qkv]|to_out)(\.0)?$", r".processor.\1_lora", dotted(index, name))
        key = re.sub(r"\.self_attn\.([qkv])_proj$", r".self_attn.to_\1_lora", key)
        key = key.replace(".self_attn.out_proj", ".self_attn.to_out_lora")
        key += "" if key.endswith("_lora") else ".lora_linear_layer" if index else ".lora"
        tensors |= {f"{key}.{part}.weight": tensor for part, tensor in zip(("up", "down"), pair, strict=True)}
    return tensors


def generic(base: Base, pairs: Pairs) -> dict[str, Tensor]:
    return {
        f"diffusion_model.{ldm_paths(name)[0]}.lora_{part}.weight": tensor
        for (index, name), pair in pairs.items()
        for part, tensor in zip(("up", "down"), pair, strict=True)
        if index == 0
    }


def at(path: Path, weight: float = 1.0) -> tuple[Path, LoraTag]:
    return path, LoraTag(path.stem, weight, weight)


def write(path: Path, tensors: dict[str, Tensor]) -> Path:
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, path)
    return path


@pytest.mark.parametrize("spelling", [kohya, peft, old_diffusers, generic])
def test_every_spelling_changes_the_same_weights(
    tiny: Any, tmp_path: Path, spelling: Callable[[Base, Pairs], dict[str, Tensor]]
) -> None:
    base = Base(tiny)
    pairs = base.pairs()
    loras = Loras(base.unet, base.encoders)
    path = write(tmp_path / "ink.safetensors", spelling(base, pairs))
    assert loras.require([at(path, 0.8)])
    if spelling is generic:
        pairs = {place: pair for place, pair in pairs.items() if place[0] == 0}
    base.check(pairs, 0.8 * (ALPHA / RANK if spelling is kohya else 1))
    loras.remove()
    assert not base.changes()


def test_merging_equals_what_diffusers_does_with_the_same_file(tiny_sd15: Any, tmp_path: Path) -> None:
    base = Base(tiny_sd15)
    path = write(tmp_path / "ink.safetensors", kohya(base, base.pairs(r"attn[12]\.to_|ff\.net|self_attn|fc[12]")))
    ids, latents = torch.tensor([[49406, 320, 2368, 49407]]), torch.randn(1, 4, 8, 8)

    @torch.no_grad()
    def run() -> Tensor:
        text = base.encoders[0](ids).last_hidden_state
        result: Tensor = base.unet(latents, 500, text).sample
        return result

    plain = run()
    Loras(base.unet, base.encoders).require([at(path, 0.7)])
    merged = run()
    base = Base(tiny_sd15)
    pipeline = StableDiffusionPipeline(
        vae=tiny_sd15.vae,
        text_encoder=base.encoders[0],
        tokenizer=None,
        unet=base.unet,
        scheduler=EulerDiscreteScheduler(steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.load_lora_weights(str(path.parent), weight_name=path.name, adapter_name="ink")
    pipeline.set_adapters("ink", 0.7)
    assert (merged - plain).abs().max() > 1e-3
    torch.testing.assert_close(run(), merged, atol=2e-5, rtol=0)


def test_several_add_up_and_the_set_can_change(tiny_sd15: Any, tmp_path: Path) -> None:
    base = Base(tiny_sd15)
    pairs = base.pairs(r"attn1\.to_q$")
    ink = write(tmp_path / "ink.safetensors", peft(base, pairs))
    dots = write(tmp_path / "dots.safetensors", peft(base, base.pairs(r"attn1\.to_q$")))
    loras = Loras(base.unet, base.encoders)
    assert loras.require([at(ink, 0.5), at(dots, 0.25)])
    base.check(pairs, 0.75)
    assert not loras.require([at(ink, 0.5), at(dots, 0.25)])
    assert loras.require([at(ink, -1.0), at(dots, 0.0)])
    assert loras.merged == (at(ink, -1.0),)
    base.check(pairs, -1.0)
    assert loras.require([])
    assert not base.changes()
    assert not loras.require([])


def test_equal_sets_count_as_equal_to_a_cache(tiny_sd15: Any, tmp_path: Path) -> None:
    base = Base(tiny_sd15)
    ink = write(tmp_path / "ink.safetensors", peft(base, base.pairs("fc1")))
    loras, seen = Loras(base.unet, base.encoders), []
    for wanted in ([], [at(ink)], [], [at(ink)], [at(ink, 0.5)]):
        loras.require(wanted)
        seen.append(patches.signature(base.encoders[0]))
    assert seen[0] == seen[2] != seen[1] == seen[3] != seen[4]


def test_files_of_which_nothing_fits_are_named_and_leave_nothing(tiny_sd15: Any, tmp_path: Path) -> None:
    base = Base(tiny_sd15)
    good = peft(base, base.pairs("fc1"))
    loras = Loras(base.unet, base.encoders)

    def message(tensors: dict[str, Tensor]) -> str:
        path = write(tmp_path / "ink.safetensors", tensors)
        with pytest.raises(ModelBroken) as caught:
            loras.require([at(path, 1.0)])
        assert not base.changes()
        assert loras.merged == ()
        return str(caught.value)

    half = next(key for key in good if "lora_A" in key)
    pair = {key: tensor for key, tensor in good.items() if key.startswith(half.removesuffix("lora_A.weight"))}
    assert "its layers are incomplete" in message({key: tensor for key, tensor in pair.items() if key != half})
    assert "have other sizes than this model's" in message({**pair, half: torch.ones(RANK, 5)})
    assert "no place for any of its layers: unet.nowhere" in message({"unet.nowhere.lora_A.weight": torch.ones(2, 2)})
    assert "is empty" in message({key: tensor[:0] if key == half else tensor[:, :0] for key, tensor in pair.items()})
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "ink.safetensors").read_bytes()[:-5])
    with pytest.raises(ModelBroken, match="is truncated"):
        loras.require([at(tmp_path / "cut.safetensors")])


def test_loras_lie_below_other_patches(tiny_sd15: Any, tmp_path: Path) -> None:
    base = Base(tiny_sd15)
    ink = write(tmp_path / "ink.safetensors", peft(base, base.pairs(r"attn1\.to_q$")))
    loras = Loras(base.unet, base.encoders)
    loras.require([at(ink, 1.0)])
    patch = patches.apply(base.unet, {"conv_out.bias": torch.ones(4)})
    with pytest.raises(ValueError, match="a later patch is still applied"):
        loras.remove()
    patch.revert()
    loras.remove()
    assert not base.changes()
