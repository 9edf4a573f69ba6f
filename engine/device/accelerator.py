"""How a network's call is run: here as it is written; `acceleration` has the faster ways, and nothing needs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

Function = Callable[..., Tensor]


class Accelerator:
    """*Eager*: what the faster subclasses are compared with. It keeps nothing, so it ignores the hints it is given."""

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
        """`function(*inputs)`, which runs `network` on tensors of any shape and returns one tensor.

        The rest says what a faster way may rely on. The last `constant` inputs are often the very tensors of the call before.
        `pure`: the result follows from the inputs and the network's weights, and no layer does more than compute. `once`: the
        call comes once a picture and takes gigabytes, as a decode does. `plentiful`: there is memory for copies of weights and,
        where `once`, for a graph that keeps those gigabytes.
        """
        return function(*inputs)

    def release(self) -> None:
        """Give up the memory that is kept to be faster next time; also called before weights move."""

    def edited(self, network: nn.Module) -> None:
        """Call this when `network`'s weights have new values: everything that was computed from them is out of date."""

    def wait(self) -> None:
        """Wait until what is prepared in the background is done."""

    @property
    def kept_bytes(self) -> int:
        """Bytes that `release` would give up on the device, as far as they are known."""
        return 0


EAGER = Accelerator()
