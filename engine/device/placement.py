"""Where a model's networks are: on their device, or waiting in host memory until their stage comes.

Knows modules and devices; does not know why a plan was chosen. Moving out costs nothing where the host's copy is still true,
which is the case for weights that were not patched meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from diffusers.hooks import HookRegistry, apply_group_offloading
from torch import Tensor, nn

from ..weights.patches import signature
from ..weights.stored_weights import stored_weights
from .accelerator import EAGER, Accelerator
from .fp8 import Fp8Storage
from .memory_plans import Offload

HOST = torch.device("cpu")

NetworkGroup = str
"""`text`, `unet` or `pixels`: networks that run in the same stage."""

STAYING: Mapping[Offload, frozenset[NetworkGroup]] = {
    "nothing": frozenset({"text", "unet", "pixels"}),
    "text": frozenset({"unet", "pixels"}),
    "stages": frozenset(),
    "layers": frozenset(),
}
"""What remains on the device once it was needed there."""

GROUP_OFFLOADING = ("group_offloading", "layer_execution_tracker", "lazy_prefetch_group_offloading")
"""diffusers' names of the hooks that `apply_group_offloading` registers."""


class Placement:
    """Moves the networks of one model, each when it is needed. On a CPU nothing ever happens: they are where they run."""

    def __init__(
        self, groups: Mapping[NetworkGroup, Sequence[nn.Module]], device: torch.device, accelerator: Accelerator = EAGER
    ) -> None:
        """`accelerator` hears before the UNet's weights move and after they were edited, and what it keeps is counted."""
        self.groups, self.device, self.accelerator = groups, device, accelerator
        self._offload: Offload = "nothing"
        self._fp8 = False
        self._there = {network: self._taken_by(network) for network in self._networks() if _is_on(network, device)}
        """Networks on the device, whole, and their sizes: walking through a UNet's modules takes 10 ms."""
        self._copies: dict[nn.Module, _Copy] = {}
        """What of those is also in host memory, because they will go back."""
        self._stored: Fp8Storage | None = None
        self._layered = False

    @property
    def moves(self) -> bool:
        return self.device.type != HOST.type

    @property
    def unet(self) -> nn.Module:
        return self.groups["unet"][0]

    def arrange(self, offload: Offload, *, fp8: bool = False) -> None:
        """From now on keep in host memory what `offload` says, and the UNet in 8 bit if `fp8`."""
        if not self.moves or (offload, fp8) == (self._offload, self._fp8):
            return
        self._make_whole()
        self._offload, self._fp8 = offload, fp8
        for group in self.groups.keys() - STAYING[offload]:
            self._send(group)

    def need(self, group: NetworkGroup) -> None:
        """Bring the networks of `group`, and send away those that may not stay with them."""
        if not self.moves:
            return
        for other in self.groups.keys() - STAYING[self._offload] - {group}:
            self._send(other)
        if group == "unet" and self._offload == "layers":
            self._make_layered()
        elif group == "unet" and self._fp8:
            self._make_narrow()
        else:
            self._bring(group)

    @contextlib.contextmanager
    def editing(self, *, heavily: bool = True) -> Iterator[None]:
        """The UNet's weights in one place and without hooks, so that they can be changed.

        For heavy changes that is the device, if they fit there; for light ones it is wherever they are.
        """
        self._make_whole()
        if heavily and self._offload != "layers" and not self._fp8:
            self.need("unet")
        try:
            yield
        finally:
            self.accelerator.edited(self.unet)

    def leave(self) -> None:
        """Move everything to host memory to make room for another model; what is needed comes back by itself."""
        if not self.moves:
            return
        self._make_whole()
        for group in self.groups:
            self._send(group)

    def bytes_on_device(self) -> int:
        """What the networks take there at the moment, with what is kept to run them faster."""
        return (
            sum(self._there.values()) + (bytes_of([self.unet]) if self._stored is not None else 0) + self.accelerator.kept_bytes
        )

    def upload(self, tensor: Tensor) -> Tensor:
        """A copy of a tensor of any shape on the device."""
        return tensor.to(self.device, non_blocking=True)

    def download(self, tensor: Tensor) -> Tensor:
        """A copy of a tensor of any shape in host memory."""
        return tensor.to(HOST)

    def _networks(self) -> Iterator[nn.Module]:
        return chain.from_iterable(self.groups.values())

    def _taken_by(self, network: nn.Module) -> int:
        """Bytes that the network takes of the device; on a CPU a mapped file's are free for others at any moment."""
        mapped = 0 if self.moves else sum(tensor.nbytes for tensor in stored_weights(network))
        return bytes_of([network]) - mapped

    def _make_layered(self) -> None:
        if not self._layered:
            self._send("unet")
            stream = self.device.type in ("cuda", "xpu")
            apply_group_offloading(self.unet, self.device, HOST, offload_type="leaf_level", use_stream=stream)
            self._layered = True

    def _make_narrow(self) -> None:
        if self._stored is None:
            self._send("unet")
            self._stored = Fp8Storage(self.unet)
            self._stored.move(self.upload)

    def _make_whole(self) -> None:
        """Undo both; the weights are in host memory then."""
        if self._stored is not None:
            self._stored.remove()
            self._stored = None
        if self._layered:
            registry = HookRegistry.check_if_exists_or_initialize(self.unet)
            for name in GROUP_OFFLOADING:
                registry.remove_hook(name, recurse=True)
            self._layered = False
            for tensor in _tensors(self.unet):  # a layer may have stayed there when its call failed
                tensor.data = self.download(tensor.data)

    def _bring(self, group: NetworkGroup) -> None:
        for network in self.groups[group]:
            self._bring_one(network, keep_copy=group not in STAYING[self._offload])

    def _send(self, group: NetworkGroup) -> None:
        if group == "unet":
            self.accelerator.release()  # its graphs read weights where those lie now
        for network in self.groups[group]:
            self._send_one(network)

    def _bring_one(self, network: nn.Module, *, keep_copy: bool) -> None:
        if network in self._there:
            return
        host = {
            tensor: _pinned(tensor.data) if keep_copy and self.device.type == "cuda" else tensor.data
            for tensor in _tensors(network)
        }
        try:
            for tensor, data in host.items():
                tensor.data = self.upload(data)
        except BaseException:
            for tensor, data in host.items():
                tensor.data = data
            raise
        self._there[network] = bytes_of([network])
        if keep_copy:
            self._copies[network] = _Copy(host, signature(network))

    def _send_one(self, network: nn.Module) -> None:
        if network not in self._there:
            return
        del self._there[network]
        copy = self._copies.pop(network, _Copy({}, None))
        for tensor in _tensors(network):
            host = copy.tensors.get(tensor)
            if host is None or (host.shape, host.dtype) != (tensor.shape, tensor.dtype):
                tensor.data = self.download(tensor.data)
            else:
                tensor.data = host if copy.patches == signature(network) else host.copy_(tensor.data)


@dataclass(frozen=True, eq=False)
class _Copy:
    """A network's weights in host memory while they are on the device."""

    tensors: Mapping[Tensor, Tensor]
    """Copies by parameter or buffer."""
    patches: Hashable
    """`signature` of the network when they were copied."""


def _is_on(network: nn.Module, device: torch.device) -> bool:
    return all(tensor.device.type == device.type for tensor in _tensors(network))


def _tensors(network: nn.Module) -> Iterator[Tensor]:
    yield from network.parameters()
    yield from network.buffers()


def _pinned(tensor: Tensor) -> Tensor:
    """A copy in page-locked memory, from which it moves several times faster; `tensor` itself where there is too little of it."""
    try:
        return tensor if tensor.is_pinned() else tensor.pin_memory()
    except RuntimeError:
        return tensor


def bytes_of(networks: Sequence[Any]) -> int:
    """Bytes of all weights, wherever they are."""
    return sum(tensor.nbytes for network in networks for tensor in _tensors(network))


def largest_layer(network: nn.Module) -> int:
    """Bytes of the largest single parameter."""
    return max((parameter.nbytes for parameter in network.parameters()), default=0)
