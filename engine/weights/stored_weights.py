"""Weights that stay as narrow as their file has them, and are widened each time their layer runs.

The layer then has the bits that it would have if its weights had been widened when they were opened, and a mapped file's weights
take no memory but what the kernel can take back at any moment. Changes to them (LayerDiffuse's, LoRAs) are made on the widened
weight, each time as well: rounding them to 16 bit would be another picture, and storing them wide is what is to be saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .mapped_pages import MappedView, views_of

Network = TypeVar("Network", bound=nn.Module)

Change = Callable[[Tensor], Tensor]
"""The weight, wide, of any shape -> another of that shape."""


class Stored(nn.Module):
    """A layer whose class was changed by `keep_narrow`."""

    weight: Tensor
    wide: torch.dtype
    changes: list[Change]
    view: MappedView | None
    """The weight in its file, if it lies in one."""

    def computed(self) -> Tensor:
        """The weight that the layer computes with, of its shape, wide and changed."""
        weight = self.weight.detach().to(self.wide)
        self.let_go()
        for change in self.changes:
            weight = change(weight)
        return weight

    def let_go(self) -> None:
        """Hold no page of the file until the weight is read again; one that was moved meanwhile lies elsewhere."""
        if self.view is not None and self.view.tensor.data_ptr() == self.weight.data_ptr():
            self.view.let_go()


class _StoredLinear(Stored, nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.computed(), self.bias)


class _StoredConv2d(Stored, nn.Conv2d):
    def forward(self, input: Tensor) -> Tensor:
        weight = self.computed().contiguous(memory_format=torch.channels_last)
        result: Tensor = self._conv_forward(input, weight, self.bias)
        return result


class _StoredEmbedding(Stored, nn.Embedding):
    def forward(self, input: Tensor) -> Tensor:
        if self.changes:
            return F.embedding(input, self.computed(), self.padding_idx)
        return super().forward(input).to(self.wide)  # only the rows that are looked up


_CLASSES: dict[type[nn.Module], type[Stored]] = {
    nn.Linear: _StoredLinear,
    nn.Conv2d: _StoredConv2d,
    nn.Embedding: _StoredEmbedding,
}

KEPT_WIDE = ("conv_in",)
"""Layers that patches give another shape."""


def keep_narrow(network: Network, dtype: torch.dtype) -> Network:
    """Have `network` compute in `dtype`, and the weights of its large layers stay in the narrower type that they have."""
    for name, module in network.named_modules():
        stored = _CLASSES.get(type(module)) if name.rpartition(".")[2] not in KEPT_WIDE else None
        weight: Any = getattr(module, "weight", None)
        narrow = stored is not None and weight.is_floating_point() and weight.dtype.itemsize < dtype.itemsize
        if narrow and stored is not None:
            module.__class__ = stored
            module.__dict__.update(wide=dtype, changes=[], view=None)
        for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
            if tensor.is_floating_point() and not (narrow and tensor is weight):
                tensor.data = tensor.data.to(dtype)
    network.__dict__["computes_in"] = dtype
    layers = list(_stored_layers(network))
    for layer, view in zip(layers, views_of([layer.weight for layer in layers]), strict=True):
        layer.view = view
    return network


def stored_layer(network: nn.Module, parameter: str) -> Stored | None:
    """The layer whose narrow weight `parameter` names; `None` for every other parameter."""
    path, _, attribute = parameter.rpartition(".")
    layer = network.get_submodule(path)
    return layer if isinstance(layer, Stored) and attribute == "weight" else None


def stored_weights(network: nn.Module) -> Iterator[Tensor]:
    """The narrow weights of `network`, of any shape. Nobody writes to them."""
    return (layer.weight for layer in _stored_layers(network))


def let_go(network: nn.Module) -> None:
    """Hold no page of the files that narrow weights of `network` lie in."""
    for layer in _stored_layers(network):
        layer.let_go()


def _stored_layers(network: nn.Module) -> Iterator[Stored]:
    return (module for module in network.modules() if isinstance(module, Stored))


def is_narrow(network: nn.Module) -> bool:
    """Whether layers of `network` widen their weights as they run."""
    return any(True for _ in stored_weights(network))


def computed_in(network: Any) -> torch.dtype:
    """The type of the network's arithmetic."""
    dtype: torch.dtype = network.__dict__.get("computes_in") or network.dtype
    return dtype


def channels_last(network: nn.Module) -> None:
    """Lay out the weights of convolutions as they run fastest, except those that are widened, which are laid out then."""
    kept = {id(weight) for weight in stored_weights(network)}
    for parameter in network.parameters():
        if parameter.ndim == 4 and id(parameter) not in kept:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
