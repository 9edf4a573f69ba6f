"""Which opened models stay."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from acetate.engine.device.memory_plans import GIB
from acetate.engine.models.model_cache import HOST_RESERVE, ModelCache


class Model:
    """A model that takes so many GiB, on the device from the start."""

    def __init__(self, name: str, gib: int, others: Any = None) -> None:
        self.name, self.others = name, others
        self.on_device = self.size = gib * GIB
        placement = SimpleNamespace(bytes_on_device=lambda: self.on_device, leave=self.leave)
        self.memory: Any = SimpleNamespace(placement=placement)

    def leave(self) -> None:
        self.on_device = 0


class Machine:
    """Host memory that models use up."""

    def __init__(self, gib: int) -> None:
        self.total = gib * GIB
        self.dropped: list[str] = []
        self.models: ModelCache = ModelCache(self.drop, self.free)
        self.opened: list[Model] = []

    def free(self) -> int:
        return self.total - sum(model.size for model in self.opened)

    def drop(self, model: Any) -> None:
        self.dropped.append(model.name)
        self.opened.remove(model)

    def use(self, name: str, gib: int) -> Model:
        def open_model(others: Any) -> Any:
            self.opened.append(Model(name, gib, others))
            return self.opened[-1]

        return self.models.use(name, open_model, gib * GIB)  # type: ignore[return-value]


def test_a_model_is_opened_once() -> None:
    machine = Machine(32)
    assert machine.use("a", 4) is machine.use("a", 4)
    assert "a" in machine.models
    assert "b" not in machine.models


def test_the_one_used_longest_ago_is_given_up_when_host_memory_is_short() -> None:
    machine = Machine(16)
    for name in "abca":
        machine.use(name, 4)
    machine.use("d", 6)
    assert machine.dropped == ["b"]
    assert [model.name for model in machine.models] == ["c", "a", "d"]
    assert machine.free() >= HOST_RESERVE


def test_a_model_too_large_for_the_machine_is_still_tried_alone() -> None:
    machine = Machine(8)
    machine.use("a", 2)
    machine.use("b", 20)
    assert machine.dropped == ["a"]


def test_on_the_device_the_others_make_room_in_the_order_of_their_last_use() -> None:
    machine = Machine(64)
    first, second, third = (machine.use(name, 4) for name in "abc")
    machine.use("a", 4)
    others = third.others
    assert others.bytes_on_device() == 8 * GIB
    assert others.leave(3 * GIB) == 4 * GIB
    assert (first.on_device, second.on_device, third.on_device) == (4 * GIB, 0, 4 * GIB)
    assert others.leave(64 * GIB) == 4 * GIB
    assert third.on_device == 4 * GIB
    assert others.leave(1) == 0
    assert list("abc") == sorted(model.name for model in machine.models), "they stay open"


def test_the_names_come_in_the_order_of_their_last_use() -> None:
    machine = Machine(gib=100)
    for name in ("one", "two", "one"):
        machine.use(name, 1)

    assert machine.models.names() == ["two", "one"]


def test_clearing_gives_up_every_model() -> None:
    machine = Machine(64)
    machine.use("a", 4)
    machine.use("b", 4)
    machine.models.clear()
    assert machine.dropped == ["a", "b"]
    assert not list(machine.models)


def test_what_is_given_up_leaves_memory_at_once_though_it_refers_to_itself() -> None:
    """As a real model does by its hooks; here with the garbage collector switched off, which has its own time."""
    models = ModelCache(lambda model: None, lambda: 32 * GIB)

    def open_model(others: Any) -> Any:
        model: Any = Model("a", 4)
        model.itself = model
        return model

    gone = weakref.ref(models.use("a", open_model))
    gc.disable()
    try:
        models.clear()
        assert gone() is None
    finally:
        gc.enable()


def test_a_model_that_cannot_be_opened_is_not_remembered() -> None:
    machine = Machine(8)

    def fails(others: Any) -> Any:
        raise OSError("cut off")

    with pytest.raises(OSError):
        machine.models.use("a", fails)
    assert "a" not in machine.models
