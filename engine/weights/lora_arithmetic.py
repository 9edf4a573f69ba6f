"""The arithmetic of every kind of LoRA: the difference that it makes to a parameter, in fp32.

Knows parts by name and shapes that fit (`adapters.lora_kinds` has seen to that); knows neither files nor networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ..adapters.lora_kinds import DECOMPOSED, glora_order
from ..adapters.lora_reading import Change

Parts = Mapping[str, Tensor]
"""Part of a change -> its tensor, fp32, on the parameter's device."""


def difference(kind: str, parts: Parts, own: Tensor, scale: float | None = None) -> Tensor:
    """What a LoRA at full strength adds to `own`, the parameter without any LoRA: fp32, of its shape.

    `kind` is the name of a `LoraKind`; `scale` takes the place of what alpha and rank say.
    """
    if scale is not None:
        parts = {**parts, "scale": torch.tensor(scale)}
    changed: Tensor = _DIFFERENCES[kind](parts, own).reshape(own.shape)
    magnitude = parts.get("magnitude", parts.get("dora_scale"))
    if magnitude is None:
        return changed
    return _with_magnitude(own + changed, magnitude, of_rows="magnitude" in parts) - own


def depends(change: Change) -> bool:
    """Whether the difference depends on the values of the parameter, and not on its shape alone."""
    return change.kind.name in _OF_OWN or bool(DECOMPOSED & change.keys.keys())


_OF_OWN = {"GLoRA", "OFT", "IA3", "whole weight"}


def _with_magnitude(weight: Tensor, magnitude: Tensor, *, of_rows: bool) -> Tensor:
    """DoRA: `weight` with the length of every row, or of every column, set to `magnitude`.

    PEFT's are of rows. LyCORIS and kohya's trainer write either: `(outputs, 1)` are of rows, `(1, inputs)` of columns.
    """
    rows = of_rows or magnitude.ndim < 2 or magnitude.shape[0] == weight.shape[0] or magnitude.numel() != weight.shape[1]
    axis = 0 if rows else 1
    others = [dimension for dimension in range(weight.ndim) if dimension != axis]
    shape = [-1 if dimension == axis else 1 for dimension in range(weight.ndim)]
    lengths = torch.linalg.vector_norm(weight, dim=others, keepdim=True)
    scaled: Tensor = weight * (magnitude.reshape(shape) / (lengths + torch.finfo(torch.float32).eps))
    return scaled


def _scale(parts: Parts, rank: int) -> float:
    """`alpha / rank`, unless the scale is given; 1 without either."""
    if "scale" in parts:
        return float(parts["scale"])
    return float(parts["alpha"]) / rank if "alpha" in parts else 1.0


def _lora(parts: Parts, own: Tensor) -> Tensor:
    up, down = parts["up"], parts["down"]
    scale = _scale(parts, down.shape[0])
    if "mid" in parts:  # LoCon's Tucker form: a 1x1, a kxk and a 1x1 convolution, one after another
        product = torch.einsum("op,pqkl,qi->oikl", up.flatten(1), parts["mid"], down.flatten(1))
        return product.mul_(scale)
    return (up.flatten(1) @ down.flatten(1)).mul_(scale)


def _loha(parts: Parts, own: Tensor) -> Tensor:
    first, second = (_factor(parts, "hada", n, f"hada_t{n}") for n in "12")
    return first.mul_(second).mul_(_scale(parts, parts["hada_w1_b"].shape[0]))


def _lokr(parts: Parts, own: Tensor) -> Tensor:
    first, second = (_factor(parts, "lokr", n, f"lokr_t{n}") for n in "12")
    decomposed = [parts[key] for key in ("lokr_w2_b", "lokr_w1_b") if key in parts]
    given = {name: parts[name] for name in parts if name != "alpha"}
    scale = _scale(parts, decomposed[0].shape[0]) if decomposed else _scale(given, 1)  # of whole factors alpha is the rank itself
    return torch.kron(first.reshape(*first.shape, *[1] * (second.ndim - first.ndim)), second.contiguous()).mul_(scale)


def _factor(parts: Parts, name: str, n: str, core: str) -> Tensor:
    """One of two factors: whole, a product, or a Tucker core between two matrices."""
    if (whole := parts.get(f"{name}_w{n}")) is not None:
        return whole
    outputs, inputs = parts[f"{name}_w{n}_a"], parts[f"{name}_w{n}_b"]
    if core in parts:
        return torch.einsum("rskl,ro,si->oikl", parts[core], outputs, inputs)
    return outputs.flatten(1) @ inputs.flatten(1)


def _glora(parts: Parts, own: Tensor) -> Tensor:
    order = glora_order({part: tuple(tensor.shape) for part, tensor in parts.items()}, tuple(own.shape))
    assert order is not None  # `fits` has seen to it
    first, second, outputs, inputs = (parts[part].flatten(1) for part in order)
    of_own = torch.einsum("oi...,ij->oj...", own, first @ second)
    rank = parts[order[3]].shape[0]
    return of_own.add_((outputs @ inputs).reshape(own.shape)).mul_(_scale(parts, rank))


def _oft(parts: Parts, own: Tensor) -> Tensor:
    """Rotations of blocks of outputs; `oft_diag` holds them as they are, `oft_blocks` what they are made from (Cayley)."""
    blocks = parts.get("oft_diag")
    rotations = _rotations(parts["oft_blocks"], _constraint(parts, own)) if blocks is None else blocks
    turned = _boft(rotations, own) if rotations.ndim == 4 else _turned(rotations.mT, own)
    if "rescale" in parts:
        turned = turned * parts["rescale"].reshape(-1, *[1] * (own.ndim - 1))
    return turned - own


def _constraint(parts: Parts, own: Tensor) -> float:
    return float(parts["alpha"]) * own.shape[0] if "alpha" in parts else 0.0


def _rotations(blocks: Tensor, constraint: float) -> Tensor:
    skew = blocks - blocks.mT
    length = float(torch.linalg.vector_norm(skew)) + 1e-8
    if 0 < constraint < length:
        skew = skew * (constraint / length)
    identity = torch.eye(blocks.shape[-1], device=blocks.device)
    rotations: Tensor = (identity + skew) @ torch.linalg.inv(identity - skew)
    return rotations


def _turned(rotations: Tensor, weight: Tensor) -> Tensor:
    """`(blocks, n, n)` applied to `(blocks * n, …)`."""
    return torch.einsum("kmn,kn...->km...", rotations, weight.unflatten(0, rotations.shape[:2])).flatten(0, 1)


def _boft(stages: Tensor, weight: Tensor) -> Tensor:
    """Butterfly: stage i mixes outputs that are 2^i half-blocks apart."""
    half = stages.shape[-1] // 2
    for stage, rotations in enumerate(stages):
        apart = 2**stage * half
        mixed = weight.unflatten(0, (-1, 2, apart)).transpose(1, 2).flatten(0, 2)
        weight = _turned(rotations, mixed).unflatten(0, (-1, apart, 2)).transpose(1, 2).flatten(0, 2)
    return weight


def _ia3(parts: Parts, own: Tensor) -> Tensor:
    axis = 1 if bool(parts["on_input"]) else 0
    if own.shape[axis] != parts["scales"].numel():  # a note that is wrong; the number of scales is not
        axis = 1 - axis
    return own * parts["scales"].reshape([-1 if dimension == axis else 1 for dimension in range(own.ndim)])


_DIFFERENCES: Mapping[str, Callable[[Parts, Tensor], Tensor]] = {
    "LoRA": _lora,
    "LoHa": _loha,
    "LoKr": _lokr,
    "GLoRA": _glora,
    "OFT": _oft,
    "IA3": _ia3,
    "full difference": lambda parts, own: parts["diff"].clone(),
    "bias difference": lambda parts, own: parts["diff_b"].clone(),
    "whole weight": lambda parts, own: parts["set_weight"].reshape(own.shape) - own,
    "LoRA with biases": lambda parts, own: parts["up_bias"] * _scale(parts, parts["down"].shape[0]),
}
