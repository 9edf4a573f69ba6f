"""From exceptions to failure codes: what any part of the server may raise, and (in a worker) what the engine raises.

Knows both vocabularies; decides nothing else. Importing it does not import the engine.
"""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

from acetate.protocol import Failure, ProtocolError

from .storage.faults import is_damage, is_full

if TYPE_CHECKING:
    from acetate.engine import EngineError


def of_exception(error: Exception) -> Failure:
    """What a client is told about an exception. Anything unforeseen is `internal`; its traceback goes to the log."""
    if isinstance(error, ProtocolError):
        return error.failure
    if isinstance(error, MemoryError):
        return Failure("out-of-memory", f"the computer's memory is exhausted: {error}", "Try a smaller size or close programs.")
    if _is_disk_full(error):
        return Failure("disk-full", f"the disk is full: {error}", "Free some space, then submit again.")
    if is_damage(error):
        hint = "Restart the server (acetate serve): it sets the damaged file aside and recovers what it holds."
        return Failure("database-damaged", f"the server's database is damaged: {error}", hint)
    return Failure(
        "internal", f"{type(error).__name__}: {error}", "The server's log has the details: acetate doctor shows where."
    )


def of_engine_exception(error: Exception) -> Failure:
    """What a client is told about an exception in a worker, where the engine's own errors have codes."""
    for code, kind in engine_errors().items():
        if isinstance(error, kind):
            return Failure(code, str(error), error.hint)
    return of_exception(error)


def engine_errors() -> dict[str, type[EngineError]]:
    """The engine's errors by their failure codes."""
    from acetate.engine import BadRequest, ModelBroken, ModelMissing, NumericFailure, OutOfMemory

    return {
        "bad-request": BadRequest,
        "model-missing": ModelMissing,
        "model-broken": ModelBroken,
        "out-of-memory": OutOfMemory,
        "numeric-failure": NumericFailure,
    }


def spoils_device(error: BaseException) -> bool:
    """Whether the process cannot use its GPU any more, as after sleep or a driver's reset: only a new process helps.

    A card that the build of torch has no kernels for is not lost: a new process would find it as it was.
    """
    text = str(error)
    if not isinstance(error, RuntimeError) or "no kernel image" in text:
        return False
    return type(error).__name__ == "AcceleratorError" or bool(_LOST.search(text))


_LOST = re.compile(
    r"\b(?:CUDA|HIP|cuDNN|MIOpen|XPU)(?: driver| unknown)? error|\bCU(?:BLAS|DNN|SOLVER)_STATUS_|Triton Error \[(?:CUDA|HIP)\]"
    r"|No (?:CUDA|HIP|XPU) (?:GPUs|devices) are available|no CUDA-capable device|unspecified launch failure|device-side assert"
    r"|cudaGetDeviceCount|_RESULT_ERROR_DEVICE_LOST",
    re.IGNORECASE,
)
"""What the libraries of CUDA, ROCm and Level Zero say of a context that is gone, in exceptions of no type of their own."""


def of_lost_device(error: BaseException) -> Failure:
    """What is told of a job whose process has lost its GPU, where another process does not get it back either."""
    said = (str(error) or type(error).__name__).splitlines()[0]
    hint = "It happens after sleep, and when the driver is reset or updated. If it happens again, restart the computer."
    return Failure("worker-crashed", f"the connection to the graphics card was lost: {said}", hint)


def _is_disk_full(error: Exception) -> bool:
    return is_full(error) or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT))
