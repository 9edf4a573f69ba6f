"""A function's kernels as one CUDA graph: launched together, so that the device does not wait for the host between them.

Knows functions of tensors, the weights that they read, and torch's graphs; does not know what is computed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ..device.accelerator import Function
from .unchanged import Unchanged

log = logging.getLogger(__name__)


class GraphLaunch:
    """Calls of one function with inputs of one shape: on a CUDA device captured at the first, elsewhere as they are."""

    def __init__(self) -> None:
        self._captured: Captured | None = None
        self._places: list[int] = []
        """Addresses of the weights in memory, which a graph reads where they were."""
        self._capturable = True

    def run(self, function: Function, inputs: Sequence[Tensor], weights: Iterable[Tensor]) -> Tensor:
        """`function(*inputs)`, of any shape; it reads `weights` and nothing else that may lie elsewhere the next time."""
        if not (self._capturable and inputs[0].is_cuda):
            return function(*inputs)
        places = [weight.data_ptr() for weight in weights]
        if self._captured is None or places != self._places:
            self._captured, self._places = None, places  # free the old graph's memory first
            try:
                self._captured = Captured(function, inputs)
            except RuntimeError as error:
                log.info("kernels are launched one by one: %s", str(error).splitlines()[0])
                self._capturable = False
                return function(*inputs)
        return self._captured(*inputs)


class Captured:
    """One graph. It holds the memory that a run takes. Raises `RuntimeError` for what cannot be captured."""

    @torch.no_grad()
    def __init__(self, function: Function, inputs: Sequence[Tensor]) -> None:
        self._inputs = [tensor.clone() for tensor in inputs]
        self._given = [Unchanged(tensor) for tensor in inputs]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # libraries set themselves up in a first run, which must not be captured
            function(*self._inputs)
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._result = function(*self._inputs)

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Replay the graph with these inputs: `function(*inputs)`."""
        for place, given in enumerate(inputs):
            if not self._given[place].still(given):
                self._inputs[place].copy_(given)
                self._given[place] = Unchanged(given)
        self._graph.replay()
        return self._result.clone()
