"""From exceptions to failure codes: what any part of the server may raise, and (in a worker) what the engine raises.

Knows both vocabularies; decides nothing else. Importing it does not import the engine.
"""

from __future__ import annotations

import errno
import sqlite3

from acetate.protocol import Failure, ProtocolError


def of_exception(error: Exception) -> Failure:
    """What a client is told about an exception. Anything unforeseen is `internal`; its traceback goes to the log."""
    if isinstance(error, ProtocolError):
        return error.failure
    if isinstance(error, MemoryError):
        return Failure("out-of-memory", f"the computer's memory is exhausted: {error}", "Try a smaller size or close programs.")
    if _is_disk_full(error):
        return Failure("disk-full", f"the disk is full: {error}", "Free some space, then submit again.")
    return Failure(
        "internal", f"{type(error).__name__}: {error}", "The server's log has the details: acetate doctor shows where."
    )


def of_engine_exception(error: Exception) -> Failure:
    """What a client is told about an exception in a worker, where the engine's own errors have codes."""
    from acetate.engine import BadRequest, EngineError, ModelBroken, ModelMissing, NumericFailure, OutOfMemory

    codes: dict[type[EngineError], str] = {
        BadRequest: "bad-request",
        ModelMissing: "model-missing",
        ModelBroken: "model-broken",
        OutOfMemory: "out-of-memory",
        NumericFailure: "numeric-failure",
    }
    for kind, code in codes.items():
        if isinstance(error, kind):
            return Failure(code, str(error), error.hint)
    return of_exception(error)


def spoils_device(error: BaseException) -> bool:
    """Whether the process cannot use its GPU any more: such errors are sticky, only a new process helps."""
    text = str(error)
    return isinstance(error, RuntimeError) and (
        type(error).__name__ == "AcceleratorError" or any(f"{name} error" in text for name in ("CUDA", "HIP", "cuDNN", "XPU"))
    )


def _is_disk_full(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
