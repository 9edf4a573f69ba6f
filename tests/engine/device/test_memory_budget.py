"""Running out of memory: every stage goes on with a smaller plan, and the picture is the one of that plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import Engine, OutOfMemory, Picture, Progress, Request
from acetate.engine.device import devices, memory_plans
from acetate.engine.device.accelerator import EAGER
from acetate.engine.device.memory_budget import is_out_of_memory, plans_for
from acetate.engine.device.memory_plans import GIB, MemoryPlan, accelerator_plans, host_plans
from acetate.engine.models import codec
from acetate.engine.models.model import Model

FULL = torch.OutOfMemoryError("tried to allocate 20.00 MiB")


def picture(engine: Engine, **values: Any) -> Picture:
    request = Request(**{"prompt": "a red apple", "steps": 2, "alpha_passes": 8, **values})
    (made,) = [event for event in engine.run(request) if isinstance(event, Picture)]
    return made


@pytest.fixture
def model(untrained: Engine) -> Model:
    """With an accelerator's plans, which on a CPU differ in everything but where the networks are."""
    opened = untrained.open("sketchpad")
    opened.memory.plans = accelerator_plans()
    return opened


def refuse(network: Any, monkeypatch: pytest.MonkeyPatch, too_much: Callable[..., bool]) -> list[int]:
    """Let `network` fail for calls that `too_much` accepts; returns the batch sizes of all calls."""
    original, calls = network.forward, []

    def forward(first: Any, *rest: Any, **more: Any) -> Any:
        calls.append(len(first))
        if too_much(first):
            held = torch.empty(16)
            raise torch.OutOfMemoryError(f"tried to allocate 20.00 MiB, {held.numel()} floats are held")
        return original(first, *rest, **more)

    monkeypatch.setattr(network, "forward", forward)
    return calls


def test_guidance_is_split_when_both_halves_do_not_fit(untrained: Engine, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    together = picture(untrained)
    monkeypatch.setattr(model, "accelerator", EAGER)  # what is replayed does not ask `forward`
    calls = refuse(model.unet, monkeypatch, lambda x: len(x) > 1)
    split = picture(untrained)
    assert calls == [2, 1, 1, 1, 1], "one attempt fails, then both steps take two calls"
    assert not model.memory.plan.guidance_together
    assert np.abs(split.rgba.astype(int) - together.rgba).max() <= 1
    assert not split.warnings or split.warnings == together.warnings


def test_graphs_are_given_up_before_a_smaller_plan_is_taken(
    untrained: Engine, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = []
    monkeypatch.setattr(model.accelerator, "release", lambda: plans.append(model.memory.plan.decoder_batch))
    refuse(model.codec.networks[-1], monkeypatch, lambda x: len(x) > 4)
    picture(untrained)
    assert plans == [8]


def test_the_decoder_takes_fewer_passes_at_once(untrained: Engine, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = model.codec.networks[-1]
    batched = picture(untrained)
    calls = refuse(decoder, monkeypatch, lambda x: len(x) > 2)
    smaller = picture(untrained)
    assert calls == [8, 4, 2, 2, 2, 2]
    assert np.abs(smaller.rgba.astype(int) - batched.rgba).max() <= 1


def test_passes_that_are_done_are_not_done_again(untrained: Engine, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    full = picture(untrained)
    attempts = iter([True, False, True])
    calls = refuse(model.codec.networks[-1], monkeypatch, lambda x: next(attempts, False))
    assert (picture(untrained).rgba == full.rgba).mean() > 0.99
    assert sum(calls) - calls[0] - calls[2] == 8
    assert calls[:3] == [8, 4, 4]


def test_the_vae_decodes_in_tiles_at_last_and_the_picture_says_so(
    untrained: Engine, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = model.codec.networks[0]
    monkeypatch.setattr(memory_plans, "TILE", 64)  # the built-in model's pictures are smaller than a real tile
    monkeypatch.setattr(codec, "TILE", 64)
    refuse(vae.decoder, monkeypatch, lambda x: not vae.use_tiling)
    made = picture(untrained)
    assert model.memory.plan.tiled_vae
    assert any("approximation" in warning for warning in made.warnings)


@pytest.mark.parametrize("stage", ["denoise", "decode"])
def test_what_never_fits_is_reported_with_numbers(
    untrained: Engine, model: Model, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    network = model.unet if stage == "denoise" else model.codec.networks[-1]
    calls = refuse(network, monkeypatch, lambda x: True)
    with pytest.raises(OutOfMemory, match=f"stage {stage}.*GiB are needed.*are available") as failure:
        picture(untrained)
    assert "smaller size" in failure.value.hint
    assert len(calls) <= len(model.memory.plans)
    monkeypatch.undo()
    assert picture(untrained).rgba.shape == (128, 128, 4), "the engine works on"


def test_text_and_encoding_are_tried_again_too(untrained: Engine, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    source = picture(untrained).rgba
    expected = picture(untrained, task="refine", source=source, prompt="something new")
    model.text._cache.clear()
    for network in (model.text.text_encoders[0], model.codec.networks[0].encoder):
        attempts = iter([True])
        refuse(network, monkeypatch, lambda x, attempts=attempts: next(attempts, False))
    assert (picture(untrained, task="refine", source=source, prompt="something new").rgba == expected.rgba).all()


def test_the_next_job_starts_with_the_best_plan_again(untrained: Engine, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(model.unet, monkeypatch, lambda x: len(x) > 1)
    picture(untrained)
    monkeypatch.undo()
    picture(untrained)
    assert model.memory.plan == accelerator_plans()[0]


def test_progress_goes_on_after_a_failure(untrained: Engine, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(model.unet, monkeypatch, lambda x: len(x) > 1)
    steps = [e for e in untrained.run(Request(prompt="x", steps=3, alpha_passes=2)) if isinstance(e, Progress)]
    assert [e.step for e in steps if e.stage == "denoise"] == [1, 2, 3]
    assert steps[-1].fraction == 1


def test_the_plan_follows_from_what_is_free(untrained: Engine, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = model.memory
    sdxl = {"unet_activations": 158 * 2**20, "text": 1_640_000_000, "unet": 5_135_000_000}
    memory.sizes = replace(memory.sizes, **sdxl, unet_element=2, vae_element=2)
    monkeypatch.setattr(memory.placement, "bytes_on_device", lambda: 0)
    for free, offload, plentiful in ((80, "nothing", True), (20, "nothing", False), (6, "stages", False), (3, "layers", False)):
        monkeypatch.setattr(devices, "free_bytes", lambda device, free=free: int(free * GIB))
        monkeypatch.setattr(devices, "memory", lambda device: (int(32 * GIB), int(32 * GIB)))
        memory.prepare(1024, 1024, 2)
        assert (memory.plan.offload, memory.plentiful) == (offload, plentiful)


class Idle:
    """Another model with so many bytes on the device; remembers what it was asked to free."""

    def __init__(self, size: int) -> None:
        self.size, self.asked = size, []

    def bytes_on_device(self) -> int:
        return self.size

    def leave(self, wanted: int) -> int:
        self.asked.append(wanted)
        return self.size


def test_before_a_job_idle_models_make_way_for_what_it_needs(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, free = model.memory, 2**20
    monkeypatch.setattr(devices, "free_bytes", lambda device: free)
    memory.others = idle = Idle(GIB)
    memory.prepare(128, 128, 2)
    own = free + memory.placement.bytes_on_device()
    assert memory.plan == accelerator_plans()[0], "with what the idle ones have it fits"
    assert idle.asked == [memory_plans.peak(memory.plan, memory.sizes, memory._work) - own]
    free = GIB
    memory.prepare(128, 128, 2)
    assert len(idle.asked) == 1, "there is enough without"


def test_idle_models_leave_before_a_plan_gets_smaller(model: Model) -> None:
    class Leaving(Idle):
        def leave(self, wanted: int) -> int:
            return super().leave(wanted) if not self.asked else super().leave(wanted) * 0

    model.memory.others = idle = Leaving(10)
    attempts = iter([True, True])

    def action() -> str:
        if next(attempts, False):
            raise FULL
        return model.memory.plan.offload

    before = model.memory.plan
    model.memory.prepare(128, 128, 2)
    model.memory.attempt("denoise", action)
    assert len(idle.asked) == 2
    assert model.memory.plan == memory_plans.after(model.memory.plans, before, "denoise", model.memory.sizes, model.memory._work)


def test_the_failed_attempt_holds_nothing_when_the_next_begins(model: Model) -> None:
    import weakref

    held: list[weakref.ref[Any]] = []

    class Large:
        pass

    def action() -> bool:
        large = Large()
        held.append(weakref.ref(large))
        if len(held) == 1:
            raise torch.OutOfMemoryError("tried to allocate 20.00 MiB")
        return held[0]() is None

    assert model.memory.attempt("denoise", action)


def test_other_errors_pass_through(model: Model) -> None:
    def broken() -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        model.memory.attempt("denoise", broken)


@pytest.mark.parametrize(
    ("error", "memory_ran_out"),
    [
        (FULL, True),
        (MemoryError(), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_allocators_are_understood(error: Exception, memory_ran_out: bool) -> None:
    assert is_out_of_memory(error) is memory_ran_out


def test_only_devices_with_their_own_memory_move_networks() -> None:
    sizes = memory_plans.NetworkSizes(unet_activations=1, text=1, unet=1, pixels=1, largest_layer=1)
    assert plans_for(torch.device("cuda"), sizes) == plans_for(torch.device("xpu"), sizes) == accelerator_plans()
    assert plans_for(torch.device("mps"), sizes) == plans_for(torch.device("cpu"), sizes) == host_plans()
    assert MemoryPlan() in host_plans()
