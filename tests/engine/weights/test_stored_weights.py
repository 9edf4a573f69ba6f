"""Weights that stay in 16 bit draw the bits of widened ones, with everything that changes weights, and give memory back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import Engine, Picture, Request
from acetate.engine.device.devices import memory
from acetate.engine.files.library import Library
from acetate.engine.files.weight_files import WeightFile
from acetate.engine.models import base_models
from acetate.engine.models.base_models import stays_narrow
from acetate.engine.models.runtime import Runtime
from acetate.engine.weights.mapped_pages import views_of
from acetate.engine.weights.stored_weights import is_narrow, keep_narrow, let_go, stored_layer, stored_weights
from safetensors.torch import save_file
from torch import nn

CPU = torch.device("cpu")
LORA = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"


@dataclass
class Library16:
    """A models folder whose checkpoint is in 16 bit, and an engine that keeps it so or not."""

    folder: Path
    own: Path
    patch: pytest.MonkeyPatch

    def drawn(self, *, narrow: bool, **values: Any) -> tuple[Picture, Engine]:
        self.patch.setattr(base_models, "stays_narrow", lambda size, runtime: narrow)
        engine = Engine("cpu", Library(self.folder, self.own / "settings", self.own / "cache"))
        request = Request(**{"prompt": "a glass bottle", "model": "half", "steps": 2, "alpha_passes": 1, **values})
        pictures = [event for event in engine.run(request) if isinstance(event, Picture)]
        assert engine.open("half").narrow is narrow
        return pictures[-1], engine


@pytest.fixture(params=["sd15", "sdxl"])
def library(
    request: pytest.FixtureRequest,
    models: dict[str, Path],
    engine_for: Callable[..., Engine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Library16:
    family = request.param
    tiny = request.getfixturevalue(f"tiny_{family}")
    folder = tmp_path / "models"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "layer_model").symlink_to(models[family] / "layer_model")
    tiny.write_file(folder / "checkpoints/half.safetensors", torch.float16)
    return Library16(folder, tmp_path, monkeypatch)


@pytest.mark.parametrize("task", ["foreground", "scene"])
def test_a_picture_has_the_bits_of_widened_weights(library: Library16, task: str) -> None:
    wide, _ = library.drawn(narrow=False, task=task)
    narrow, _ = library.drawn(narrow=True, task=task)
    assert np.array_equal(narrow.rgba, wide.rgba) and len(np.unique(wide.rgba)) > 8


def test_a_lora_changes_it_by_the_same_bits_and_leaves_nothing(library: Library16) -> None:
    (library.folder / "loras").mkdir()
    shape = (
        library.drawn(narrow=False)[1]
        .open("half")
        .unet.get_parameter("down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight")
        .shape
    )
    torch.manual_seed(1)
    parts = {f"{LORA}.lora_up.weight": torch.randn(shape[0], 2), f"{LORA}.lora_down.weight": torch.randn(2, shape[1])}
    save_file(parts, library.folder / "loras/ink.safetensors")
    plain, _ = library.drawn(narrow=True)
    wide, _ = library.drawn(narrow=False, loras=(("ink", 0.7),))
    narrow, engine = library.drawn(narrow=True, loras=(("ink", 0.7),))
    assert np.array_equal(narrow.rgba, wide.rgba) and not np.array_equal(narrow.rgba, plain.rgba)
    again = Request(prompt="a glass bottle", model="half", steps=2, alpha_passes=1)
    (without,) = [event for event in engine.run(again) if isinstance(event, Picture)]
    assert np.array_equal(without.rgba, plain.rgba)


def test_the_weights_are_the_files_own_pages_and_nobody_writes_to_them(library: Library16) -> None:
    _, engine = library.drawn(narrow=True)
    model = engine.open("half")
    weights = list(stored_weights(model.unet))
    assert weights and {weight.dtype for weight in weights} == {torch.float16}
    before = [weight.clone() for weight in weights]
    views = views_of(weights)
    assert all(view is not None for view in views)
    let_go(model.unet)
    assert all(torch.equal(a, b) for a, b in zip(before, weights, strict=True)), "read from the file again"
    assert model.dtype == torch.float32 and model.memory.plan.offload == "layers"


def test_a_diffusers_folder_stays_narrow_as_well(
    tiny_sdxl: Any, engine_for: Callable[..., Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from acetate.engine.models.checkpoints import open_components

    tiny_sdxl.write_folder(tmp_path / "folder")
    for part in ("unet", "text_encoder", "text_encoder_2"):
        for file in (tmp_path / "folder" / part).glob("*.safetensors"):
            with WeightFile(file) as weights:
                half = {key: tensor.half() for key, tensor in weights.items()}
            save_file(half, file, metadata={"format": "pt"})
    wide = open_components(tmp_path / "folder")
    narrow = open_components(tmp_path / "folder", narrow=True)
    assert is_narrow(narrow.unet) and all(is_narrow(encoder) for encoder in narrow.text_encoders) and not is_narrow(wide.unet)
    ids = torch.arange(77)[None] % 20
    for one, other in zip(narrow.text_encoders, wide.text_encoders, strict=True):
        assert torch.equal(one(ids).last_hidden_state, other(ids).last_hidden_state)


def test_what_is_not_a_large_weight_is_widened_at_once() -> None:
    network = nn.ModuleDict({"a": nn.Linear(4, 4), "norm": nn.LayerNorm(4), "conv_in": nn.Conv2d(1, 1, 1)}).half()
    keep_narrow(network, torch.float32)
    narrow = {name for name, parameter in network.named_parameters() if parameter.dtype == torch.float16}
    assert narrow == {"a.weight"}
    assert stored_layer(network, "a.weight") is network["a"] and stored_layer(network, "a.bias") is None
    assert stored_layer(network, "norm.weight") is None


def test_pages_of_mapped_files_alone_are_let_go(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file({"x": torch.ones(2**20), "y": torch.ones(3)}, file)
    with WeightFile(file) as weights:
        mapped, small = weights["x"], weights["y"]
    own = torch.ones(2**20)
    view, page, none = views_of([mapped, small, own])
    assert none is None and page is not None and page.let_go() == 0
    assert view is not None and 0 <= mapped.nbytes - view.let_go() <= 2 * 4096
    assert bool(mapped.eq(1).all()) and bool(own.eq(1).all())


def test_a_weight_that_was_moved_is_not_let_go_of(tmp_path: Path) -> None:
    save_file({"weight": torch.ones(256, 256).half()}, tmp_path / "w.safetensors")
    layer = nn.Linear(256, 256, bias=False).half()
    with WeightFile(tmp_path / "w.safetensors") as weights:
        layer.weight = nn.Parameter(weights["weight"], requires_grad=False)
    network = keep_narrow(nn.Sequential(layer), torch.float32)
    layer.weight.data = layer.weight.data.clone().mul_(2)
    let_go(network)
    assert bool(network(torch.ones(1, 256)).eq(512).all())


def test_narrow_is_for_float32_where_wide_would_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    free = memory("cpu")[0]
    assert not stays_narrow(0, Runtime(CPU)) and stays_narrow(free, Runtime(CPU))
    assert not stays_narrow(free, Runtime(CPU, dtype="bfloat16"))
    assert stays_narrow(0, Runtime(torch.device("cuda"), dtype="float32"))
