"""Compiling in the background: the first call never waits, results stay equal, and without a compiler all goes on."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import Engine, Picture, Request, acceleration, builtin
from acetate.engine.acceleration import Compiled, Recorded
from acetate.engine.acceleration.compilation import Compilation
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

Graph = Callable[..., Any]


@pytest.fixture
def unet(narrow_unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """One that the compiler has never met."""
    torch._dynamo.reset()
    return narrow_unet


class Compiler:
    """A backend that compiles nothing but counts, and can be told to wait."""

    def __init__(self) -> None:
        self.graphs = 0
        self.runs = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Graph:
        assert self.may_go_on.wait(600)
        self.graphs += 1

        def run(*given: Any) -> Any:
            self.runs += 1
            return graph.forward(*given)

        return run


class Drawing:
    """One call of a UNet, by itself or through a compilation."""

    def __init__(self, unet: UNet2DConditionModel, side: int = 8) -> None:
        generator = torch.Generator().manual_seed(side)
        sample, text = torch.randn(2, 4, side, side, generator=generator), torch.randn(2, 7, 24, generator=generator)
        self.unet, self.inputs = unet, [sample, torch.tensor(500.0), text]

    @torch.no_grad()
    def __call__(self, *inputs: Tensor) -> Tensor:
        result: Tensor = self.unet(*(inputs or self.inputs), return_dict=False)[0]
        return result

    def by(self, compilation: Compilation) -> Tensor:
        return compilation.run(self.inputs, self)


def test_the_first_call_runs_as_it_is_and_later_ones_find_what_was_compiled(unet: UNet2DConditionModel) -> None:
    compiler = Compiler()
    compilation, call = Compilation(unet, compiler), Drawing(unet)
    compiler.may_go_on.clear()
    plain = call.by(compilation)
    assert compilation.busy
    assert torch.equal(call.by(compilation), plain), "while it is compiled, nothing changes"
    compiler.may_go_on.set()
    compilation.wait()

    assert compilation.problem == ""
    made, before = compiler.graphs, compiler.runs
    assert torch.allclose(call.by(compilation), plain, atol=1e-6)
    assert compiler.graphs == made == 2, "one graph for each width, and none for a call"
    assert compiler.runs - before == len(compilation._blocks), "every block ran compiled"


def test_what_is_not_compiled_runs_in_the_way_that_the_caller_prefers(unet: UNet2DConditionModel) -> None:
    compiler = Compiler()
    compiler.may_go_on.clear()
    compilation, call = Compilation(unet, compiler), Drawing(unet)
    preferred = torch.zeros(1)
    watched = compilation.run(call.inputs, call, lambda *inputs: preferred)
    assert watched is not preferred, "the compiler has to see the call itself"
    assert compilation.run(call.inputs, call, lambda *inputs: preferred) is preferred
    compiler.may_go_on.set()
    compilation.wait()
    assert torch.allclose(compilation.run(call.inputs, call, lambda *inputs: preferred), watched, atol=1e-6)


def test_changed_weights_are_seen(unet: UNet2DConditionModel) -> None:
    """Patches change weights in place, also after compiling."""
    compilation, call = Compilation(unet, Compiler()), Drawing(unet)
    plain = call.by(compilation)
    compilation.wait()
    for name, parameter in unet.named_parameters():
        if "attn1.to_q" in name:
            parameter.data.mul_(-3)
    changed = call.by(compilation)
    assert not torch.allclose(changed, plain, atol=1e-5)
    assert torch.allclose(changed, call(), atol=1e-6)


def test_another_shape_is_compiled_for_itself_and_not_in_a_call(unet: UNet2DConditionModel) -> None:
    compiler = Compiler()
    compilation = Compilation(unet, compiler)
    for side in (8, 16):
        plain, made = Drawing(unet, side).by(compilation), compiler.graphs
        compilation.wait()
        assert compiler.graphs == made + 2
        assert torch.allclose(Drawing(unet, side).by(compilation), plain, atol=1e-6)
    assert compiler.graphs == made + 2


def test_a_block_is_itself_again_after_every_call(unet: UNet2DConditionModel) -> None:
    compilation, call = Compilation(unet, Compiler()), Drawing(unet)
    keys = list(unet.state_dict())
    call.by(compilation)
    compilation.wait()
    with pytest.raises(ZeroDivisionError):
        compilation.run(call.inputs, lambda *inputs: torch.tensor(1 // 0))
    assert not any("forward" in module.__dict__ for module in unet.modules())
    assert list(unet.state_dict()) == keys


def test_without_a_compiler_pictures_are_drawn_all_the_same(unet: UNet2DConditionModel, caplog: pytest.LogCaptureFixture) -> None:
    def absent(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Graph:
        raise RuntimeError("no C++ compiler was found")

    compilation, call = Compilation(unet, absent), Drawing(unet)
    plain = call.by(compilation)
    compilation.wait()
    assert "no C++ compiler was found" in compilation.problem
    assert "stay uncompiled" in caplog.text
    assert torch.equal(call.by(compilation), plain)
    assert not compilation.busy, "it is not tried again"


def test_networks_without_repeated_blocks_are_left_alone() -> None:
    compilation = Compilation(nn.Linear(2, 2), Compiler())
    assert compilation.run([torch.ones(1)], lambda one: one) == 1
    assert not compilation.busy


def test_the_pipeline_draws_the_same_with_it(untrained_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch._dynamo.reset()
    monkeypatch.setattr(builtin, "FOLDER", untrained_folder)
    compiler = Compiler()
    monkeypatch.setattr(acceleration, "Compiled", partial(Compiled, compiler))
    engine, request = Engine("cpu", acceleration="compiled"), Request(prompt="a red apple", steps=2, alpha_passes=1)
    *_, first = engine.run(request)
    model = engine.open("sketchpad")
    model.accelerator.wait()
    before = compiler.runs
    *_, second = engine.run(request)

    assert isinstance(first, Picture) and isinstance(second, Picture)
    assert isinstance(model.accelerator, Compiled)
    blocks = model.accelerator.compilations[model.unet]._blocks
    assert compiler.runs - before == 2 * len(blocks), "every block of both steps"
    assert np.abs(first.rgba.astype(int) - second.rgba).max() <= 1
    assert first.parameters["acceleration"] == "compiled", "its bits are others'"


def test_an_engine_compiles_only_when_told(untrained_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "FOLDER", untrained_folder)
    assert isinstance(Engine("cpu", acceleration="compiled").open("sketchpad").accelerator, Compiled)
    assert type(Engine("cpu").open("sketchpad").accelerator) is Recorded
    monkeypatch.setattr(acceleration, "joins_kernels", lambda device: True)
    assert type(Engine("cpu", acceleration="compiled").open("sketchpad").accelerator) is Recorded, "joined kernels are faster"


@pytest.mark.full
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # torch's own, on its way to its compiler
def test_the_real_compiler_gives_equal_pictures(
    unet: UNet2DConditionModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    compilation, call = Compilation(unet), Drawing(unet)
    plain = call.by(compilation)
    compilation.wait()
    assert compilation.problem == ""
    assert torch.allclose(call.by(compilation), plain, atol=1e-4)
