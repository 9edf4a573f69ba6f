"""LoRAs of artists, by file and weight: merged into UNet and text encoders, and taken out again bit for bit.

Knows how kohya's trainer, diffusers and PEFT name a LoRA's tensors; `library` knows where the files are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from torch import nn

from ..families.ldm_names import ldm_paths
from ..files.weight_files import WeightFile, WeightFiles, listed
from ..values.errors import ModelBroken
from .patch_keys import LowRank
from .patches import Patch, merge

LoraTarget = tuple[int, str]
"""Which network (0 is the UNet, then the text encoders) and the path of a layer in it."""

_TENSOR = re.compile(
    r"(?P<layer>.+)\.(?:lora_(?P<kohya>down|up)|lora_(?P<peft>A|B)(?:\.default)?|(?:lora|lora_linear_layer)\.(?P<diffusers>down|up))\.weight"
)
_UNSUPPORTED = {
    "hada_": "LoHa",
    "lokr_": "LoKr",
    "dora_scale": "DoRA",
    "lora_magnitude": "DoRA",
    "oft_": "OFT",
    "lora_mid": "Tucker",
}


class Loras:
    """Keeps one set of LoRAs merged into a base model.

    LoRAs lie below everything else: change the set before LayerDiffuse weights are patched in or attention sharing is
    installed, and put those on again afterwards.
    """

    def __init__(self, unet: nn.Module, text_encoders: Sequence[nn.Module]) -> None:
        self._networks = [unet, *text_encoders]
        self._layers = _spellings(self._networks)
        self._patches: list[Patch] = []
        self.merged: tuple[tuple[Path, float], ...] = ()
        """File and weight of what is merged now."""

    def require(self, wanted: Sequence[tuple[Path, float]]) -> bool:
        """Have exactly `wanted` merged, in that order; returns whether weights were changed.

        Raises `ModelBroken`, and leaves none merged, for a file that is damaged, of another kind or for another family.
        """
        chosen = tuple((path, float(weight)) for path, weight in wanted if weight != 0)
        if chosen == self.merged:
            return False
        with ExitStack() as stack:
            files = [stack.enter_context(WeightFile(path)) for path, _ in chosen]
            changes = self._changes(files, [weight for _, weight in chosen])
            self.remove()
            label = tuple((str(path), path.stat().st_mtime_ns, weight) for path, weight in chosen)
            try:
                for index, deltas in sorted(changes.items()):
                    self._patches.append(merge(self._networks[index], deltas, WeightFiles(files), 1.0, label))
            except BaseException:
                self.remove()
                raise
        self.merged = chosen
        return True

    def remove(self) -> None:
        """Restore the networks' own weights."""
        while self._patches:
            self._patches[-1].revert()
            self._patches.pop()
        self.merged = ()

    def _changes(self, files: Sequence[WeightFile], weights: Sequence[float]) -> dict[int, list[LowRank]]:
        """Network -> its changes; keys as `WeightFiles` has them."""
        changes: dict[int, list[LowRank]] = {}
        for place, (file, weight) in enumerate(zip(files, weights, strict=True)):
            for (network, layer), delta in self._read(file):
                keys = {part: f"{place}:{key}" for part in ("up", "down", "alpha") if (key := getattr(delta, part))}
                changes.setdefault(network, []).append(replace(delta, target=f"{layer}.weight", weight=weight, **keys))
        return changes

    def _read(self, file: WeightFile) -> Iterator[tuple[LoraTarget, LowRank]]:
        for mark, name in _UNSUPPORTED.items():
            if any(mark in key for key in file):
                raise ModelBroken(f"{file.path.name} is a {name} file; only plain LoRAs (and LoCon) can be used")
        tensors: dict[str, dict[str, str]] = {}
        strange: list[str] = []
        for key in file:
            if match := _TENSOR.fullmatch(_normal(key)):
                part = {"A": "down", "B": "up"}.get(match["peft"] or "") or match["kohya"] or match["diffusers"]
                tensors.setdefault(match["layer"], {})[part] = key
            elif key.endswith(".alpha"):
                tensors.setdefault(_normal(key).removesuffix(".alpha"), {})["alpha"] = key
            else:
                strange.append(key)
        strange += [key for layer, parts in tensors.items() if layer not in self._layers for key in parts.values()]
        if strange:
            raise ModelBroken(f"{file.path.name} does not fit this model: it has no place for {listed(strange, 4)}")
        for layer, parts in tensors.items():
            if not {"up", "down"} <= parts.keys():
                raise ModelBroken(f"{file.path.name} has half of a LoRA pair: {listed(parts.values())}")
            yield self._layers[layer], LowRank("", parts["up"], parts["down"], parts.get("alpha"))


def _normal(key: str) -> str:
    """Older spellings of diffusers: `attn1.processor.to_q_lora.down`, and `self_attn.to_q_lora.down` in text encoders."""
    key = re.sub(r"\.processor\.(to_[qkv]|to_out)_lora\.", r".\1.lora.", key)
    key = re.sub(r"\.self_attn\.to_([qkv])_lora\.", r".self_attn.\1_proj.lora.", key)
    key = key.replace(".self_attn.to_out_lora.", ".self_attn.out_proj.lora.")
    return re.sub(r"(\.attn[12]\.to_out)\.lora\.", r"\1.0.lora.", key)


def _spellings(networks: Sequence[nn.Module]) -> Mapping[str, LoraTarget]:
    """Maps every spelling of a layer's path to it; kohya's `_` stands for `.`, so its names cannot be taken apart."""
    names: dict[str, LoraTarget] = {}
    for path in _layers(networks[0]):
        target = (0, path)
        names |= {path: target, f"unet.{path}": target, f"lora_unet_{path.replace('.', '_')}": target}
        for original in ldm_paths(path):
            names |= {f"lora_unet_{original.replace('.', '_')}": target, f"diffusion_model.{original}": target}
    for index, encoder in enumerate(networks[1:], start=1):
        flat, dotted = (
            ("lora_te_", "lora_te1_") if index == 1 else (f"lora_te{index}_",),
            "text_encoder" + ("" if index == 1 else f"_{index}"),
        )
        for path in _layers(encoder):
            inner = path.removeprefix("text_model.")
            whole = inner if inner.startswith("text_projection") else f"text_model.{inner}"
            for spelled in {inner, whole}:
                names |= {f"{dotted}.{spelled}": (index, path)}
                names |= {f"{prefix}{spelled.replace('.', '_')}": (index, path) for prefix in flat}
    return names


def _layers(network: nn.Module) -> Iterator[str]:
    return (name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d))
