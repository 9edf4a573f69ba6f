"""Whether a tensor is the same as before, with the same values."""

from __future__ import annotations

from torch import Tensor


class Unchanged:
    """A tensor at one moment, kept alive so that no other one can take its place in memory.

    Sees operators that write into it or into a view of it, but not changes to its `data`.
    """

    def __init__(self, tensor: Tensor) -> None:
        self._tensor, self._version = tensor, tensor._version

    def still(self, tensor: Tensor) -> bool:
        """Whether `tensor`, of any shape, is that very tensor, with nothing written into it since."""
        return tensor is self._tensor and tensor._version == self._version
