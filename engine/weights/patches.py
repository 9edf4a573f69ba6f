"""Weights that are added to a network's own and taken out again, bit for bit (layerdiffuse.md 1.3).

Knows parameters and files of differences; does not know what a difference makes the network draw.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby

import torch
from torch import Tensor, nn

from ..files.weight_files import listed, shapes_of
from ..layerdiffuse.attention_unit import AttentionSharingUnit
from ..values.errors import ModelBroken
from .patch_keys import Delta, Diff, parse
from .stored_weights import Change, Stored, stored_layer

Shape = tuple[int, ...]


def apply(unet: nn.Module, state_dict: Mapping[str, Tensor], weight: float = 1.0) -> Patch:
    """Add a LayerDiffuse file to `unet` in place, `weight` times; `Patch.revert` restores every bit.

    `state_dict` has `::lora::` and `::diff::` keys over ldm names, or diffusers' parameter names or LoRA keys; a
    `WeightFile` is read tensor by tensor. All keys are checked before the first weight changes. The sum is made in fp32.
    Files for conditioned models widen `conv_in` to 8 or 12 input channels: `unet.config.in_channels` stays 4, so that
    latents keep their shape.

    Apply before offloading is set up, and before attention sharing.
    """
    deltas = parse(state_dict, layers_per_block=_layers_per_block(unet))
    check_complete(unet, deltas, state_dict)
    return merge(unet, deltas, state_dict, weight)


class Patch:
    """Changes to one network; the latest must be reverted first."""

    count: int
    """The number of parameters that are changed."""

    def __init__(self, module: nn.Module, label: Hashable) -> None:
        self.count = 0
        self.label = label
        self._module = module
        self._pristine: dict[str, tuple[nn.Parameter, Tensor]] = {}
        self._changed: list[list[Change]] = []
        """The changes of stored layers, of each of which the latest is this patch's."""
        stack(module).append(self)

    def replace(self, name: str, value: Tensor) -> None:
        """Set parameter `name` to `value`, of its shape or with more input channels; the old one is kept on the CPU."""
        parameter = self._module.get_parameter(name)
        self._pristine[name] = (parameter, parameter.detach().to("cpu", copy=True))
        self.count += 1
        if value.shape == parameter.shape:
            parameter.data.copy_(value)
        else:
            self._set(name, nn.Parameter(value, requires_grad=parameter.requires_grad))

    def change(self, layer: Stored, value: Change) -> None:
        """Have a layer that widens its weight compute with what `value` makes of it."""
        layer.changes.append(value)
        self._changed.append(layer.changes)
        self.count += 1

    @torch.no_grad()
    def revert(self) -> None:
        """Restore every parameter, bit for bit; doing it twice does nothing. Raises `ValueError` under a later patch."""
        patches = stack(self._module)
        if self not in patches:
            return
        if patches[-1] is not self:
            raise ValueError("a later patch is still applied to this network; revert that one first")
        _check_unshared(self._module)
        for name, (parameter, pristine) in self._pristine.items():
            current = self._module.get_parameter(name)
            if current is parameter:
                parameter.data.copy_(pristine)
            else:
                parameter.data = pristine.to(current)
                self._set(name, parameter)
        for changes in self._changed:
            changes.pop()
        self._pristine.clear()
        self._changed.clear()
        patches.pop()

    def _set(self, name: str, parameter: nn.Parameter) -> None:
        path, _, attribute = name.rpartition(".")
        module = self._module.get_submodule(path)
        setattr(module, attribute, parameter)
        if isinstance(module, nn.Conv2d):
            module.in_channels = parameter.shape[1]


def stack(module: nn.Module) -> list[Patch]:
    """The patches that are applied to `module`, in order; they live as long as it does."""
    return module.__dict__.setdefault("_acetate_patches", [])  # type: ignore[no-any-return]


def signature(module: nn.Module) -> Hashable:
    """A key for caching what `module` computes: equal as long as it has the same patches."""
    return tuple(patch.label for patch in stack(module))


@torch.no_grad()
def merge(
    module: nn.Module, deltas: Sequence[Delta], tensors: Mapping[str, Tensor], weight: float, label: Hashable = None
) -> Patch:
    """Add `deltas` to the parameters of any network, all or nothing; `tensors` holds their values, of shapes that fit.

    Patches with equal `label` count as the same for `signature`; without one, every patch is its own. Raises `ModelBroken` where
    they do not fit the network, and `ValueError` for a `weight` that is not finite.
    """
    if not math.isfinite(weight):
        raise ValueError(f"weight is {weight}; it must be a finite number")
    shapes = shapes_of(tensors)
    parameters = dict(module.named_parameters())
    if unknown := {delta.target: _key(delta) for delta in deltas if delta.target not in parameters}:
        raise ModelBroken(f"the weight file has keys that name no parameter of the network: {listed(unknown.values())}")
    wrong = [
        f"{delta.target} is {tuple(parameters[delta.target].shape)}, its change {shape_of(delta, shapes)}"
        for delta in deltas
        if not _fits(shape_of(delta, shapes), tuple(parameters[delta.target].shape), delta.target)
    ]
    if wrong:
        raise ModelBroken(f"the weight file does not fit the network: {listed(wrong)}")
    groups = {name: list(group) for name, group in groupby(sorted(deltas, key=_target), _target)}
    values = {
        name: partial(_sum, deltas=group, tensors=_tensors_of(group, tensors), shapes=shapes, weight=weight)
        for name, group in groups.items()
    }
    return rewrite(module, values, object() if label is None else label)


@torch.no_grad()
def rewrite(module: nn.Module, values: Mapping[str, Change], label: Hashable) -> Patch:
    """Give parameters the values that functions make of what they are now, each of its shape or with more input channels.

    A layer that widens its weight keeps its function, and asks it each time that it runs. All or nothing. Patches with equal
    `label` count as the same for `signature`.
    """
    _check_unshared(module)
    patch = Patch(module, label)
    try:
        for name, value in values.items():
            if (layer := stored_layer(module, name)) is not None:
                patch.change(layer, value)
            else:
                patch.replace(name, value(module.get_parameter(name)))
    except BaseException:
        patch.revert()
        raise
    return patch


def _target(delta: Delta) -> str:
    return delta.target


def _tensors_of(deltas: Iterable[Delta], tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The tensors of some changes, of a file views that outlive it."""
    keys = ([d.key] if isinstance(d, Diff) else [d.up, d.down, *([] if d.alpha is None else [d.alpha])] for d in deltas)
    return {key: tensors[key] for some in keys for key in some}


def _key(delta: Delta) -> str:
    return delta.key if isinstance(delta, Diff) else delta.up


def shape_of(delta: Delta, shapes: Mapping[str, Shape]) -> Shape:
    """Shape of the change; empty where up and down do not belong together."""
    if isinstance(delta, Diff):
        return shapes[delta.key]
    up, down = shapes[delta.up], shapes[delta.down]
    if len(up) < 2 or len(up) != len(down) or up[1] != down[0] or math.prod(up[2:]) != 1:
        return ()
    return (up[0], *down[1:])


def _fits(change: Shape, parameter: Shape, name: str) -> bool:
    if change == parameter:
        return True
    if name == "conv_in.weight":  # conditioned models: more input channels, or fewer than an earlier patch brought
        return len(change) == 4 and change[:1] + change[2:] == parameter[:1] + parameter[2:]
    return _flat(change) == _flat(parameter)


def _flat(shape: Shape) -> Shape:
    """1x1 convolutions and linear layers are interchangeable: checkpoints store `proj_in` as either."""
    return shape[:2] if shape[2:] == (1, 1) else shape


def _sum(
    parameter: Tensor, deltas: list[Delta], tensors: Mapping[str, Tensor], shapes: Mapping[str, Shape], weight: float
) -> Tensor:
    """`W + weight * (all changes)` in fp32, cast back; strength 0 gives the same bits."""
    total = parameter.detach().to(torch.float32, copy=True)
    for delta in deltas:
        shape = shape_of(delta, shapes)
        if total.ndim == 4 and len(shape) == 4 and shape[1] > total.shape[1]:
            total = nn.functional.pad(total, (0, 0, 0, 0, 0, shape[1] - total.shape[1]))
        strength = weight * delta.weight
        if strength == 0:  # -0.0 + 0.0 would be another bit pattern
            continue
        change = _value(delta, tensors, parameter.device)
        if total.ndim == 4 and len(shape) == 4:
            total[:, : shape[1]].add_(change, alpha=strength)
        else:
            total.add_(change.reshape(total.shape), alpha=strength)
    return total.to(parameter.dtype)


def _value(delta: Delta, tensors: Mapping[str, Tensor], device: torch.device) -> Tensor:
    if isinstance(delta, Diff):
        return tensors[delta.key].to(device, torch.float32)
    up, down = (tensors[key].to(device, torch.float32) for key in (delta.up, delta.down))
    scale = 1.0 if delta.alpha is None else float(tensors[delta.alpha]) / down.shape[0]
    return (up.flatten(1) @ down.flatten(1)).mul_(scale).reshape(up.shape[0], *down.shape[1:])


def _check_unshared(module: nn.Module) -> None:
    if any(isinstance(part, AttentionSharingUnit) for part in module.modules()):
        raise ValueError("attention sharing is installed and keeps merged copies of the weights; remove it first")


def _layers_per_block(unet: nn.Module) -> int:
    layers = getattr(getattr(unet, "config", None), "layers_per_block", 2)
    return layers if isinstance(layers, int) else 2


_PROJECTION = re.compile(r"\.attn[12]\.to_(q|k|v|out\.0)\.weight$")
_CONVOLUTIONAL = re.compile(r"\.resnets\.|samplers\.|^conv_")
_UNTOUCHED = re.compile(r"\.attn[12]\.to_[qkv]\.|^(time|add)_embedding\.")


def check_complete(unet: nn.Module, deltas: list[Delta], keys: Iterable[str]) -> None:
    """Raise `ModelBroken` for a file that changes most of a published set of parameters, but not all (layerdiffuse.md 1.4).

    The sets follow from the UNet, 560, 206 and 1252 parameters for SDXL; the published files' sizes say that each has one of
    them, `bgble2fg` the last. A file with few changes is one that someone made on purpose.
    """
    targets = {delta.target for delta in deltas}
    names = [name for name, _ in unet.named_parameters()]
    sets = {
        "parameters of residual blocks and samplers": {name for name in names if _CONVOLUTIONAL.search(name)},
        "parameters except queries, keys and values": {name for name in names if not _UNTOUCHED.search(name)},
    }
    if any(key.endswith("::lora::0") for key in keys):
        sets["attention projections"] = {name for name in names if _PROJECTION.search(name)}
    for purpose, complete in sets.items():
        missing = complete - targets
        if missing and len(missing) < len(complete) / 2:
            found = f"{len(complete) - len(missing)} of the {len(complete)} {purpose}"
            raise ModelBroken(f"the weight file is incomplete: it changes {found}, but not {listed(missing)}")
