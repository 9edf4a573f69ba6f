"""`fast` through whole jobs: a distilled LoRA that lies there is taken, and the UNet has less to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from acetate.engine import Engine, ModelMissing, Picture, Request
from safetensors.torch import save_file


@pytest.fixture
def engine(engine_for: Callable[..., Engine], tiny_sdxl: Any, tmp_path: Path) -> Engine:
    """With a model `tiny`, and a LoRA that is not in its folders yet."""
    layer = "text_model.encoder.layers.0.self_attn.v_proj"
    weight = tiny_sdxl.text_encoders[1].get_submodule(layer).weight
    (tmp_path / "loras").mkdir()
    pair = {"lora_A": torch.randn(2, weight.shape[1]), "lora_B": torch.randn(weight.shape[0], 2)}
    tensors = {f"text_encoder_2.{layer}.{part}.weight": tensor for part, tensor in pair.items()}
    save_file(tensors, tmp_path / "loras" / "tiny_lightning_3step_lora.safetensors")
    return engine_for("sdxl")


def drawn(engine: Engine, **values: Any) -> tuple[Picture, list[int]]:
    """The picture, and how many pictures each call of the UNet had."""
    seen: list[int] = []
    unet = engine.open("tiny").unet
    hook = unet.register_forward_pre_hook(lambda unet, arguments: seen.append(len(arguments[0])))
    try:
        request = Request(**{"prompt": "a bottle", "model": "tiny", "alpha_passes": 1, "width": 64, "height": 64, **values})
        (picture,) = [event for event in engine.run(request) if isinstance(event, Picture)]
    finally:
        hook.remove()
    return picture, seen


def test_fast_takes_few_steps_of_one_picture_where_an_ordinary_job_takes_many_of_two(engine: Engine, tmp_path: Path) -> None:
    engine.library.add(tmp_path / "loras")
    _, ordinary = drawn(engine)
    fast, few = drawn(engine, fast=True)
    assert (ordinary, few) == ([2] * 20, [1] * 3)
    noted = {name: fast.parameters[name] for name in ("steps", "guidance_scale", "scheduler", "spacing", "loras")}
    lora = [["tiny_lightning_3step_lora", 1.0]]
    assert noted == {"steps": 3, "guidance_scale": 1.0, "scheduler": "euler", "spacing": "sgm-uniform", "loras": lora}
    assert "fast" not in fast.parameters, "what it stands for is noted instead"
    _, asked = drawn(engine, fast=True, steps=2, guidance_scale=3.0)
    assert asked == [2] * 2


def test_without_a_distilled_lora_fast_says_which_to_download(engine: Engine) -> None:
    with pytest.raises(ModelMissing, match="no LoRA that draws in few steps") as missing:
        drawn(engine, fast=True)
    assert missing.value.hint == "acetate models pull sdxl-fast"


def test_a_distilled_lora_at_ordinary_settings_is_drawn_with_a_warning(engine: Engine, tmp_path: Path) -> None:
    engine.library.add(tmp_path / "loras")
    picture, calls = drawn(engine, steps=5, prompt="a bottle <lora:tiny_lightning_3step_lora:1>")
    assert calls == [2] * 5
    assert any("made for 3 steps at guidance 1 with scheduler euler, spacing sgm-uniform" in said for said in picture.warnings)
