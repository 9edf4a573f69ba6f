"""What can go wrong in the engine.

EngineError
├── BadRequest          the request itself is wrong: the caller can change it
├── ModelMissing        a model or weight file is missing: the caller can download it
├── ModelBroken         a model's file is corrupt, incomplete or of a kind that cannot be used
│   └── ValuesBroken    its values are NaN, infinite or all zero
├── OutOfMemory         the device's memory does not hold the job, after every smaller plan was tried
└── NumericFailure      the networks returned NaN or infinity
"""

from __future__ import annotations

from pathlib import Path


class EngineError(Exception):
    """Root of the engine's errors; `hint` says to a person what would help (may be empty)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class BadRequest(EngineError):
    """The request cannot be run as it stands; the message names the value and what would be right."""


class ModelMissing(EngineError):
    """A model, weight file or adapter that the request needs is not installed."""


class ModelBroken(EngineError):
    """A model's file is truncated, corrupt, incomplete or of an unsupported kind."""


class ValuesBroken(ModelBroken):
    """The weights in a file are NaN, infinite or all zero, as is seen when it is opened."""

    def __init__(self, message: str, hint: str, path: Path, *, replaceable: bool = False) -> None:
        """`path` is the file; `replaceable` says that a file next to it may serve in the place of the damaged part."""
        super().__init__(message, hint)
        self.path, self.replaceable = path, replaceable


class OutOfMemory(EngineError):
    """The device has too little memory, even for the smallest plan."""


class NumericFailure(EngineError):
    """A network returned NaN or infinity."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Without a hint of its own it has the one that helps with every network."""
        super().__init__(
            message, hint or "compute with more digits (serve or generate with --dtype float32), or try another model"
        )
