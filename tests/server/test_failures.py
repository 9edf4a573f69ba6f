"""Whatever is raised has a code that a client can act on."""

from __future__ import annotations

import errno
import sqlite3

import pytest
from acetate.engine import BadRequest, ModelBroken, ModelMissing, NumericFailure, OutOfMemory
from acetate.protocol import ProtocolError
from acetate.server.failures import of_engine_exception, of_exception, of_lost_device, spoils_device


def full_database() -> sqlite3.Error:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProtocolError("too-many", "too many"), "too-many"),
        (MemoryError("4 GiB"), "out-of-memory"),
        (OSError(errno.ENOSPC, "no space"), "disk-full"),
        (OSError(errno.EDQUOT, "no quota"), "disk-full"),
        (full_database(), "disk-full"),
        (sqlite3.OperationalError("locked"), "internal"),
        (OSError(errno.EACCES, "not yours"), "internal"),
        (KeyError("kite"), "internal"),
    ],
    ids=str,
)
def test_every_exception_has_its_code(error: Exception, code: str) -> None:
    assert of_exception(error).code == code
    assert of_engine_exception(error).code == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (BadRequest, "bad-request"),
        (ModelMissing, "model-missing"),
        (ModelBroken, "model-broken"),
        (OutOfMemory, "out-of-memory"),
        (NumericFailure, "numeric-failure"),
    ],
)
def test_the_engines_own_errors_keep_their_words_and_their_hint(kind: type[BadRequest], code: str) -> None:
    failure = of_engine_exception(kind("what is wrong", "what would be right"))
    assert (failure.code, failure.message, failure.hint) == (code, "what is wrong", "what would be right")


def test_what_nobody_foresaw_names_its_kind_and_where_the_details_are() -> None:
    failure = of_exception(ZeroDivisionError("division by zero"))
    assert failure.message == "ZeroDivisionError: division by zero" and "log" in failure.hint


def test_only_a_devices_own_errors_cost_the_process() -> None:
    assert spoils_device(type("AcceleratorError", (RuntimeError,), {})("gone"))
    assert not spoils_device(RuntimeError("sizes do not match"))
    assert not spoils_device(ValueError("CUDA error"))


@pytest.mark.parametrize(
    "said",
    [
        "CUDA error: an illegal memory access was encountered",
        "CUDA error: unspecified launch failure",
        "CUDA error: device-side assert triggered",
        "CUDA error: no CUDA-capable device is detected",
        "CUDA unknown error - this may be due to an incorrectly set up environment",
        "CUDA driver error: unknown error",
        "No CUDA GPUs are available",
        "Unexpected error from cudaGetDeviceCount(). Error 999: unknown error",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR",
        "CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasLtMatmul`",
        "Triton Error [CUDA]: unspecified launch failure",
        "HIP error: the operation cannot be performed in the present state",
        "Native API failed. Native API returns: 20 (UR_RESULT_ERROR_DEVICE_LOST)",
    ],
)
def test_a_lost_card_is_known_by_what_the_libraries_say(said: str) -> None:
    error = RuntimeError(f"{said}\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1")
    assert spoils_device(error)
    failure = of_lost_device(error)
    assert failure.code == "worker-crashed" and failure.message.endswith(said) and "sleep" in failure.hint


def test_a_card_without_kernels_is_not_lost() -> None:
    missing = type("AcceleratorError", (RuntimeError,), {})(
        "CUDA error: no kernel image is available for execution on the device"
    )
    assert not spoils_device(missing)
