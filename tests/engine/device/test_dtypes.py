"""The types of networks' arithmetic, on machines that are made up: only the CPU is at hand everywhere."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from acetate.engine import BadRequest
from acetate.engine.device.dtypes import Dtypes, dtypes

HALF, BRAIN, FULL = torch.float16, torch.bfloat16, torch.float32


@pytest.fixture
def brain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: request.param)


@pytest.mark.parametrize(
    ("device", "brain", "asked", "expected"),
    [
        ("cpu", True, "auto", Dtypes(FULL, FULL, FULL)),
        ("cuda", True, "auto", Dtypes(HALF, BRAIN, HALF)),
        ("cuda", False, "auto", Dtypes(HALF, FULL, HALF)),
        ("mps", False, "auto", Dtypes(HALF, FULL, HALF)),
        ("xpu", False, "auto", Dtypes(HALF, FULL, HALF)),
        ("cuda", True, "float16", Dtypes(HALF, BRAIN, HALF)),
        ("cuda", True, "float32", Dtypes(FULL, FULL, FULL)),
        ("cuda", True, "bfloat16", Dtypes(BRAIN, BRAIN, HALF)),
        ("mps", False, "bfloat16", Dtypes(BRAIN, BRAIN, HALF)),
        ("cpu", False, "bfloat16", Dtypes(BRAIN, BRAIN, FULL)),
    ],
    indirect=["brain"],
)
@pytest.mark.usefixtures("brain")
def test_the_vae_never_runs_in_fp16_and_the_decoder_never_in_bf16(device: str, asked: Any, expected: Dtypes) -> None:
    assert dtypes(torch.device(device), asked) == expected


@pytest.mark.parametrize(
    ("device", "brain", "asked", "message", "hint"),
    [
        ("cpu", True, "float16", "dtype 'float16' is not for cpu: a processor is slower in it", "choose float32 or bfloat16"),
        ("cuda", False, "bfloat16", "dtype 'bfloat16' is not for cuda: the card only imitates it", "choose float32 or float16"),
    ],
    indirect=["brain"],
)
@pytest.mark.usefixtures("brain")
def test_what_the_device_cannot_do_well_is_refused_with_what_it_can(device: str, asked: Any, message: str, hint: str) -> None:
    with pytest.raises(BadRequest, match=message) as refused:
        dtypes(torch.device(device), asked)
    assert refused.value.hint == hint
