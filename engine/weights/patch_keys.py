"""What the keys of an additive weight file mean: which parameter each changes, and how (layerdiffuse.md 1.2, 1.3).

Knows key grammars and names; reads no tensor and sees no network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..families.ldm_names import diffusers_name
from ..files.weight_files import listed
from ..values.errors import ModelBroken


@dataclass(frozen=True)
class Diff:
    """A difference of weights: `W += strength * tensor`."""

    target: str
    """Name of the parameter that is changed."""
    key: str
    weight: float = 1.0
    """Its own share of the strength that all changes are applied with."""


@dataclass(frozen=True)
class LowRank:
    """A low-rank change: `W += strength * alpha / rank * (up @ down)`; without an `alpha` that factor is 1."""

    target: str
    up: str
    down: str
    alpha: str | None = None
    weight: float = 1.0


Delta = Diff | LowRank

_LOW_RANK = re.compile(
    r"(?P<path>.+?)\.(?:processor\.(?P<projection>to_q|to_k|to_v|to_out)_lora\.|lora_linear_layer\.|lora\.|lora_)"
    r"(?P<part>down|up|A|B)(?:\.default)?\.weight"
)
"""Every spelling of a LoRA tensor that diffusers and peft have written."""


def parse(keys: Iterable[str], *, layers_per_block: int = 2) -> list[Delta]:
    """The changes that a file makes to a UNet, in diffusers' parameter names. Raises `ModelBroken` for a key without meaning.

    A `diffusion_model.….weight::lora::0` is up, `::lora::1` is down, `::diff::0` is added as it is. Other keys are names of
    diffusers parameters (added as they are) or diffusers LoRA tensors, with or without the prefix `unet.`.
    """
    keys = list(keys)
    separated = [key for key in keys if "::" in key]
    deltas: list[Delta] = []
    if separated:
        deltas += _separated(separated, layers_per_block)
    deltas += plain([key for key in keys if "::" not in key], prefix="unet.")
    if not deltas:
        raise ModelBroken("the weight file is empty")
    return deltas


def plain(keys: Iterable[str], *, prefix: str) -> list[Delta]:
    """As `parse`, for keys of diffusers' own grammar, with `prefix` or without. Raises `ModelBroken` for half a LoRA pair."""
    tensors: dict[str, dict[str, str]] = {}
    deltas: list[Delta] = []
    for key in keys:
        name = key.removeprefix(prefix)
        if match := _LOW_RANK.fullmatch(name):
            path = match["path"]
            if match["projection"]:
                path += "." + match["projection"].replace("to_out", "to_out.0")
            part = {"A": "down", "B": "up"}.get(match["part"], match["part"])
            tensors.setdefault(path, {})[part] = key
        elif name.endswith(".alpha"):
            tensors.setdefault(name.removesuffix(".alpha"), {})["alpha"] = key
        else:
            deltas.append(Diff(name, key))
    if incomplete := [key for parts in tensors.values() if not {"up", "down"} <= parts.keys() for key in parts.values()]:
        raise ModelBroken(f"the weight file has halves of LoRA pairs: {listed(incomplete)}")
    return deltas + [LowRank(f"{path}.weight", parts["up"], parts["down"], parts.get("alpha")) for path, parts in tensors.items()]


def _separated(keys: list[str], layers_per_block: int) -> list[Delta]:
    pairs: dict[str, dict[str, str]] = {}
    deltas: list[Delta] = []
    unknown: list[str] = []
    for key in keys:
        name, *kind = key.split("::")
        target = diffusers_name(name.removeprefix("diffusion_model."), layers_per_block)
        if target is None or not name.startswith("diffusion_model."):
            unknown.append(key)
        elif kind == ["diff", "0"]:
            deltas.append(Diff(target, key))
        elif kind in (["lora", "0"], ["lora", "1"]):
            pairs.setdefault(target, {})["up" if kind[1] == "0" else "down"] = key
        else:
            unknown.append(key)
    if unknown:
        raise ModelBroken(f"the weight file has keys that name no UNet parameter: {listed(unknown)}")
    if incomplete := [key for parts in pairs.values() if len(parts) != 2 for key in parts.values()]:
        raise ModelBroken(f"the weight file has halves of LoRA pairs: {listed(incomplete)}")
    return deltas + [LowRank(target, parts["up"], parts["down"]) for target, parts in pairs.items()]
