"""Which device is chosen, on machines that are made up: only the CPU is at hand everywhere."""

from __future__ import annotations

import psutil
import pytest
import torch
from acetate.engine import BadRequest
from acetate.engine.device import card_kernels, devices
from acetate.engine.device.devices import available, free_bytes, memory, pick_device

GIB = 2**30


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Two CUDA cards and Apple's GPU, if there were such a machine."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(card_kernels, "check", lambda device: None)
    monkeypatch.setattr(torch.xpu, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    return monkeypatch


def test_the_best_device_is_found_by_itself(machine: pytest.MonkeyPatch) -> None:
    assert available() == ["cuda", "mps", "cpu"]
    assert pick_device() == pick_device("auto") == torch.device("cuda")
    machine.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device() == torch.device("mps")
    machine.setattr(torch.xpu, "is_available", lambda: True)
    assert pick_device() == torch.device("xpu")


def test_another_one_can_be_asked_for(machine: pytest.MonkeyPatch) -> None:
    assert [str(pick_device(name)) for name in ("cuda:1", "mps", "cpu")] == ["cuda:1", "mps", "cpu"]


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("abacus", "unknown device 'abacus'", "one of cuda, xpu, mps, cpu, with an index such as cuda:1"),
        ("xpu", "device 'xpu' is not available", "this machine has cuda, mps, cpu"),
        ("cuda:2", "device 'cuda:2' is not available", "this machine has 2 of that kind, counted from 0"),
        ("cuda:one", "unknown device 'cuda:one'", "one of cuda, xpu, mps, cpu, with an index such as cuda:1"),
        ("mps:1", "device 'mps:1' is not available", "this machine has 1 of that kind, counted from 0"),
    ],
)
def test_a_device_that_is_not_there_is_refused_with_those_that_are(
    machine: pytest.MonkeyPatch, name: str, message: str, hint: str
) -> None:
    with pytest.raises(BadRequest, match=message) as refused:
        pick_device(name)
    assert refused.value.hint == hint


def test_memory_is_asked_where_the_device_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (6 * GIB, 8 * GIB))
    monkeypatch.setattr(torch.xpu, "mem_get_info", lambda device: (3 * GIB, 4 * GIB))
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 10 * GIB)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 4 * GIB)
    assert memory("cuda:1") == (6 * GIB, 8 * GIB)
    assert memory("xpu") == (3 * GIB, 4 * GIB)
    assert memory("mps") == (6 * GIB, 10 * GIB)
    assert memory("cpu")[1] == psutil.virtual_memory().total


def test_blocks_that_the_allocator_holds_and_a_limit_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "memory", lambda device: (4 * GIB, 8 * GIB))
    monkeypatch.setattr(torch.accelerator, "memory_allocated", lambda device: 1 * GIB)
    monkeypatch.setattr(torch.accelerator, "memory_reserved", lambda device: 2 * GIB)
    shares = [1.0, 0.25]
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_per_process_memory_fraction", shares.__getitem__)  # torch takes no device without number
    assert free_bytes(torch.device("cuda:0")) == 5 * GIB
    assert free_bytes(torch.device("cuda:1")) == free_bytes(torch.device("cuda")) == 1 * GIB
    assert free_bytes(torch.device("xpu")) == 5 * GIB
