"""Whether a tensor is the one of before, with the values of then."""

from __future__ import annotations

from torch import Tensor


class Unchanged:
    """A tensor at one moment, kept alive, as another one could take its place in memory.

    Sees operators that write into it, also into a view of it; not what is done to its `data`.
    """

    def __init__(self, tensor: Tensor) -> None:
        self._tensor, self._version = tensor, tensor._version

    def still(self, tensor: Tensor) -> bool:
        """Whether `tensor` is that very one and nothing was written into it since."""
        return tensor is self._tensor and tensor._version == self._version
