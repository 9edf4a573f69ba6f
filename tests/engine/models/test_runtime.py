"""What a model runs with: which way of calling networks a choice comes to, and where a picture tells of it."""

from __future__ import annotations

import pytest
import torch
from acetate.engine import acceleration
from acetate.engine.device.accelerator import EAGER
from acetate.engine.models.runtime import Runtime, described, settled

CPU, CARD = torch.device("cpu"), torch.device("cuda")


def test_auto_is_recorded_and_compiled_is_that_too_where_kernels_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acetate.engine.acceleration.joins_kernels", lambda device: device.type == "cuda")
    assert [settled(asked, CPU) for asked in ("auto", "eager", "recorded", "compiled", "check")] == [
        "recorded", "eager", "recorded", "compiled", "check"
    ]  # fmt: skip
    assert settled("compiled", CARD) == "recorded"
    assert "the very bits" in described(CPU) and "joined kernels" in described(CARD)


def test_a_picture_tells_of_its_acceleration_only_where_that_changed_its_bits() -> None:
    assert [Runtime(CPU, way).noted for way in ("eager", "recorded", "check")] == [{}] * 3
    assert Runtime(CPU, "compiled").noted == {"acceleration": "compiled"}
    assert [Runtime(CARD, way).noted for way in ("recorded", "eager", "check")] == [
        {}, {"acceleration": "eager"}, {"acceleration": "check"}
    ]  # fmt: skip


def test_a_picture_tells_of_a_type_that_the_device_would_not_have_taken_by_itself() -> None:
    assert [Runtime(CPU, "eager", dtype).noted for dtype in ("auto", "float32", "bfloat16")] == [{}, {}, {"dtype": "bfloat16"}]


def test_every_model_has_an_accelerator_of_its_own_but_eager_keeps_nothing_to_own() -> None:
    kinds = {way: type(Runtime(CPU, way).accelerator()) for way in ("recorded", "compiled", "check")}
    assert kinds == {
        "recorded": acceleration.Recorded,
        "compiled": acceleration.Compiled,
        "check": acceleration.Checked,
    }
    runtime = Runtime(CPU, "recorded")
    assert runtime.accelerator() is not runtime.accelerator()
    assert Runtime(CPU, "eager").accelerator() is EAGER


def test_a_check_is_of_what_auto_comes_to() -> None:
    checked = Runtime(CPU, "check").accelerator()
    assert isinstance(checked, acceleration.Checked)
    assert type(checked._faster) is type(Runtime(CPU, settled("auto", CPU)).accelerator())


def test_kernels_are_prepared_for_every_way_but_the_one_that_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr(acceleration, "compile_ahead", lambda device, kinds: asked.append(device))
    Runtime(CARD, "eager").warm_up()
    assert asked == []
    Runtime(CARD, "recorded").warm_up()
    assert asked == [CARD]
