"""A layer that changes what lies below it, and has no pixels of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .adjustments import Change, adjustment
from .layer import Layer

_NOTHING = np.zeros((0, 0, 4), np.uint8)


@dataclass(frozen=True, eq=False)
class Adjustment(Layer):
    """Its opacity, mode and mask say how far the change shows. In a normal group it changes the group alone."""

    rgba: np.ndarray[Any, np.dtype[Any]] = field(default_factory=lambda: _NOTHING)
    """None."""
    kind: str = "invert"
    """One of `acetate.document.adjustments.ADJUSTMENTS`."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The arguments of that function; JSON values."""
    blocks: Sequence[tuple[bytes, bytes]] = ()
    """As a PSD holds it: keys and contents, to be written back."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rgba.size:
            raise ValueError(f"the adjustment {self.name!r} has pixels; it cannot have any")
        self.change  # noqa: B018 (raises for what cannot be)

    @cached_property
    def change(self) -> Change:
        """What it does to colours."""
        return adjustment(self.kind, self.settings)
