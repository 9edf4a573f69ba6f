"""The faster ways to run a network's call. They know networks and the shapes of calls; they know no picture and no plan."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from ..device.accelerator import Accelerator, Function
from . import fused_operators
from .agreement import disagreement
from .compilation import Compilation
from .graph_replay import TracedNetwork

log = logging.getLogger(__name__)


class Recorded(Accelerator):
    """From the second call of a shape on, its kernels are played without the Python around them (`graph_replay`).

    What comes once a picture is recorded only where kernels are joined: elsewhere that gains less than recording costs.
    """

    def __init__(self) -> None:
        self._traced: dict[nn.Module, TracedNetwork] = {}

    def call(
        self,
        network: nn.Module,
        function: Function,
        inputs: Sequence[Tensor],
        *,
        constant: int = 0,
        pure: bool = True,
        once: bool = False,
        plentiful: bool = False,
    ) -> Tensor:
        if not pure or (once and not fused_operators.available(inputs[0].device)):
            return function(*inputs)
        if network not in self._traced:
            self._traced[network] = TracedNetwork(network, single=once)
        return self._traced[network].run(inputs, function, constant=constant, plentiful=plentiful)

    def release(self) -> None:
        for traced in self._traced.values():
            traced.release()

    def edited(self, network: nn.Module) -> None:
        if network in self._traced:
            self._traced[network].forget()

    @property
    def kept_bytes(self) -> int:
        return sum(traced.kept_bytes for traced in self._traced.values())


class Compiled(Recorded):
    """Repeated blocks by torch's compiler once it has done them in the background (`compilation`); until then as `Recorded`."""

    def __init__(self, backend: str | Callable[..., Any] = "inductor") -> None:
        """`backend` is passed on to `torch.compile`."""
        super().__init__()
        self._backend = backend
        self.compilations: dict[nn.Module, Compilation] = {}

    def call(self, network: nn.Module, function: Function, inputs: Sequence[Tensor], **hints: Any) -> Tensor:
        def recorded(*given: Tensor) -> Tensor:
            return Recorded.call(self, network, function, given, **hints)

        if hints.get("once") or not hints.get("pure", True):
            return recorded(*inputs)
        if network not in self.compilations:
            self.compilations[network] = Compilation(network, self._backend)
        return self.compilations[network].run(inputs, function, recorded)

    def release(self) -> None:
        super().release()
        for compilation in self.compilations.values():
            compilation.release()

    def wait(self) -> None:
        """Wait until the compilation in the background is done."""
        for compilation in self.compilations.values():
            compilation.wait()


class Checked(Accelerator):
    """Every call in both ways: the plain result is what counts, and the first that `faster` does not give is reported."""

    def __init__(self, faster: Accelerator) -> None:
        self._faster, self._reported = faster, False

    def call(self, network: nn.Module, function: Function, inputs: Sequence[Tensor], **hints: Any) -> Tensor:
        result = function(*inputs)
        found = self._faster.call(network, function, inputs, **hints)
        if not self._reported and (problem := disagreement(found, result, inputs, function)):
            self._reported = True
            shapes = ", ".join(f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}" for tensor in inputs)
            log.warning(
                "%s with inputs %s: the accelerated result is wrong, %s. Eager results are used; this is reported once.",
                *(type(network).__name__, shapes, problem),
            )
        return result

    def release(self) -> None:
        self._faster.release()

    def edited(self, network: nn.Module) -> None:
        self._faster.edited(network)

    @property
    def kept_bytes(self) -> int:
        return self._faster.kept_bytes
