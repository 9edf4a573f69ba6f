"""RGBA pictures from prompts.

Knows torch and diffusers; knows no socket, no editor and no layered file. Importing it imports neither torch nor diffusers:
`Engine` loads them when it is made. It bounds how long threads spin, which counts when torch is loaded.
"""

from typing import TYPE_CHECKING, Any

from acetate.raster import RGBA, Mask

from .device.idle_threads import bound_spinning
from .values.errors import BadRequest, EngineError, ModelBroken, ModelMissing, NumericFailure, OutOfMemory
from .values.request import Picture, Progress, Request

bound_spinning()

if TYPE_CHECKING:
    from .engine import Engine

__all__ = [
    "RGBA",
    "BadRequest",
    "Engine",
    "EngineError",
    "Mask",
    "ModelBroken",
    "ModelMissing",
    "NumericFailure",
    "OutOfMemory",
    "Picture",
    "Progress",
    "Request",
]


def __getattr__(name: str) -> Any:
    """Import torch only for callers that ask for `Engine`. Raises `AttributeError` for any other name."""
    if name == "Engine":
        from .engine import Engine

        return Engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
