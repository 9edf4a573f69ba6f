"""LoRAs of artists, by file and weights: merged into UNet and text encoders, and taken out again bit for bit.

Knows parameters and strengths; what a file's keys mean is `adapters`', where it lies the library's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..adapters.lora_reading import Change
from ..families.structure import Structure
from ..files.weight_files import WeightFile
from ..values.lora_tag import LoraTag
from .lora_arithmetic import depends, difference
from .lora_files import read_lora
from .lora_strength import strength
from .patches import Patch, rewrite


class _Strong(NamedTuple):
    """A file's change of one parameter, and how strong it is."""

    change: Change
    parts: Mapping[str, Tensor]
    """Views of the file, which outlive it."""
    strength: float


class Loras:
    """Keeps one set of LoRAs merged into a base model.

    LoRAs lie below everything else: change the set before LayerDiffuse weights are patched in or attention sharing is
    installed, and put those on again afterwards. Each is worked out against the model's own weights, so their order changes
    nothing but rounding.
    """

    def __init__(self, unet: nn.Module, text_encoders: Sequence[nn.Module]) -> None:
        self._networks = [unet, *text_encoders]
        self._names = [{name.removeprefix("text_model."): name for name, _ in net.named_parameters()} for net in self._networks]
        self._structure = structure_of(self._networks)
        self._patches: list[Patch] = []
        self.merged: tuple[tuple[Path, LoraTag], ...] = ()
        """File and weights of what is merged now."""

    def require(self, wanted: Sequence[tuple[Path, LoraTag]]) -> bool:
        """Have exactly `wanted` merged; returns whether weights were changed.

        What has no place in the model is left out (`read_lora`). Raises `ModelBroken`, and leaves none merged, for a file that is
        damaged, or of which nothing fits.
        """
        chosen = tuple((path, tag) for path, tag in wanted if tag.unet_weight or tag.text_encoder_weight)
        if chosen == self.merged:
            return False
        with ExitStack() as stack:
            files = [stack.enter_context(WeightFile(path)) for path, _ in chosen]
            changes = self._changes(files, [tag for _, tag in chosen])
            self.remove()
            label = tuple((str(path), path.stat().st_mtime_ns, *tag[1:]) for path, tag in chosen)
            try:
                for network, names, by_name in zip(self._networks, self._names, changes, strict=True):
                    if by_name:
                        values = {names[name]: partial(_sum, strong=strong) for name, strong in sorted(by_name.items())}
                        self._patches.append(rewrite(network, values, label))
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

    def _changes(self, files: Sequence[WeightFile], tags: Sequence[LoraTag]) -> list[dict[str, list[_Strong]]]:
        """For each network: parameter -> its changes, those of strength 0 left out."""
        changes: list[dict[str, list[_Strong]]] = [{} for _ in self._networks]
        for file, tag in zip(files, tags, strict=True):
            for change in read_lora(file, self._structure).changes:
                if factor := strength(tag, change.layer):
                    parts = {part: file[key] for part, key in change.keys.items()}
                    changes[change.layer[0]].setdefault(change.name, []).append(_Strong(change, parts, factor))
        return changes


def structure_of(networks: Sequence[nn.Module]) -> Structure:
    """The structure of networks that are open, without any patch."""
    return Structure(
        tuple({name.removeprefix("text_model."): tuple(p.shape) for name, p in net.named_parameters()} for net in networks)
    )


def _sum(parameter: Tensor, strong: Sequence[_Strong]) -> Tensor:
    """The parameter and all its changes, in fp32, cast back."""
    own = parameter.detach().to(torch.float32, copy=True)
    total = own.clone() if any(depends(one.change) for one in strong) else own
    for change, stored, factor in strong:
        parts = {part: tensor.to(own.device, torch.float32) for part, tensor in stored.items()}
        seen = own.T if change.transposed else own
        added = difference(change.kind.name, parts, seen, change.scale)
        total.add_(added.T if change.transposed else added, alpha=factor)
    return total.to(parameter.dtype)
