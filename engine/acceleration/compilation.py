"""The repeated blocks of a UNet, compiled in the background while pictures are drawn without: no click ever waits for a compiler.

Knows blocks, the shapes of what they are given, and torch's compiler; knows no picture and no plan. A call of a new shape runs
as always and is watched; a thread then compiles copies of the blocks for those shapes, and later calls find the result, because
the compiler keeps it by code and shapes, not by block. What was compiled differs by rounding from what was not.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_map_only

from ..device.accelerator import Function
from ..files.own_folders import cache_folder
from .cuda_graphs import GraphLaunch

log = logging.getLogger(__name__)

SHAPES = 16
"""Shapes of calls that are compiled at most; each takes a search among the others at every block."""


class Compilation:
    """Compiles one UNet's blocks. `backend` is `torch.compile`'s. One thread calls; another one compiles."""

    def __init__(self, unet: nn.Module, backend: str | Callable[..., Any] = "inductor") -> None:
        self.problem = ""
        """Why nothing is compiled any more; empty while all is well."""
        self._backend = backend
        names = getattr(unet, "_repeated_blocks", ())
        self._blocks: list[Any] = [module for module in unet.modules() if type(module).__name__ in names]
        self._compiled: dict[nn.Module, Callable[..., Any]] = {}
        self._unet = unet
        self._ready: dict[Hashable, GraphLaunch] = {}
        self._thread: threading.Thread | None = None
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "compiled"))

    def run(self, inputs: Sequence[Tensor], function: Function, otherwise: Function | None = None) -> Tensor:
        """`function(*inputs)`, which uses the UNet; compiled if these shapes are ready, else its equivalent `otherwise`."""
        plain = otherwise or function
        if self.busy or self.problem or not self._blocks:
            return plain(*inputs)
        shape = tuple(_layout(tensor) for tensor in inputs)
        if shape in self._ready:
            with self._in_place(), torch.compiler.set_stance("eager_on_recompile"):
                return self._ready[shape].run(function, inputs, self._unet.parameters())
        if len(self._ready) >= SHAPES:
            return plain(*inputs)
        with self._watched() as seen:
            result = function(*inputs)
        self._begin(shape, list(seen.values()))
        return result

    def release(self) -> None:
        """Give up the memory that graphs hold; what was compiled stays."""
        for shape in self._ready:
            self._ready[shape] = GraphLaunch()

    @property
    def busy(self) -> bool:
        """Whether a shape is being compiled."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> None:
        """Wait until the compilation in progress is done."""
        if self._thread is not None:
            self._thread.join()

    @contextlib.contextmanager
    def _in_place(self) -> Iterator[None]:
        """The blocks with their compiled `forward`; an attribute of the instance hides the class's, and goes again."""
        try:
            for block in self._blocks:
                if block not in self._compiled:
                    self._compiled[block] = self._compile(block)
                block.forward = self._compiled[block]
            yield
        finally:
            for block in self._blocks:
                block.__dict__.pop("forward", None)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[dict[Hashable, tuple[nn.Module, Any]]]:
        """Collects one block of each kind with what it was given; kinds differ in their weights' or their inputs' shapes."""
        seen: dict[Hashable, tuple[nn.Module, Any]] = {}

        def note(block: nn.Module, arguments: Any, keywords: Any) -> None:
            given = (arguments, keywords)
            weights = tuple(_layout(parameter) for parameter in block.parameters())
            seen.setdefault((type(block), weights, _layouts(given)), (block, given))

        hooks = [block.register_forward_pre_hook(note, with_kwargs=True) for block in self._blocks]
        try:
            yield seen
        finally:
            for hook in hooks:
                hook.remove()

    def _begin(self, shape: Hashable, kinds: list[tuple[nn.Module, Any]]) -> None:
        """Compile copies: the blocks' own weights may be patched or moved meanwhile."""
        copies = [(copy.deepcopy(block), tree_map_only(Tensor, _blank, given)) for block, given in kinds]
        threads = torch.get_num_threads()  # compiled code is cached by this number, and every thread has its own
        self._thread = threading.Thread(target=self._work, args=(shape, copies, threads), name="compilation", daemon=True)
        self._thread.start()

    def _work(self, shape: Hashable, copies: list[tuple[nn.Module, Any]], threads: int) -> None:
        torch.set_num_threads(threads)
        try:
            with torch.no_grad(), torch._dynamo.config.patch(recompile_limit=4 * SHAPES):
                for block, (arguments, keywords) in copies:
                    self._compile(block)(*arguments, **keywords)
        except Exception as error:  # a compiler can raise anything; pictures are drawn without it
            self.problem = " ".join((str(error) or type(error).__name__).strip().splitlines()[:2])  # its first line says little
            log.warning("the UNet's blocks stay uncompiled: %s", self.problem)
        else:
            self._ready[shape] = GraphLaunch()

    def _compile(self, block: nn.Module) -> Callable[..., Any]:
        compiled: Callable[..., Any] = torch.compile(block.forward, fullgraph=True, dynamic=False, backend=self._backend)
        return compiled


def _layout(tensor: Tensor) -> Hashable:
    return tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.device


def _layouts(values: Any) -> Hashable:
    """The layouts of all tensors in nested containers; other values as they are."""
    leaves, structure = tree_flatten(values)
    return str(structure), tuple(_layout(leaf) if isinstance(leaf, Tensor) else repr(leaf) for leaf in leaves)


def _blank(tensor: Tensor) -> Tensor:
    """Zeros of the same layout."""
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=tensor.device).zero_()
