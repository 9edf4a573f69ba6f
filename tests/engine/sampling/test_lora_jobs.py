"""LoRAs of artists through whole jobs: they draw what a model draws into which they were merged by hand, and leave no trace."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import BadRequest, Engine, ModelMissing, Picture, Request
from acetate.engine.families.ldm_names import ldm_paths
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

RANK, ALPHA, WEIGHT = 2, 1.0, 0.8


def draw(engine: Engine, **values: Any) -> NDArray[np.uint8]:
    request = Request(**{"prompt": "a bottle", "model": "tiny", "steps": 2, "alpha_passes": 1, **values})
    return next(event.rgba for event in engine.run(request) if isinstance(event, Picture))


def kohya(family: str, place: int, path: str) -> str:
    if place == 0:
        return "lora_unet_" + (path if family == "sd15" else ldm_paths(path)[0]).replace(".", "_")
    inner = path.removeprefix("text_model.").replace(".", "_")
    return f"lora_te{'' if family == 'sd15' else place}_text_model_{inner}"


def diffusers(family: str, place: int, path: str) -> str:
    if place == 0:
        return f"unet.{path}"
    return f"text_encoder{'_2' if place == 2 else ''}.text_model.{path.removeprefix('text_model.')}"


def write_lora_and_merged(tiny: Any, spelling: Callable[[str, int, str], str], lora: Path, merged: Path) -> None:
    """A LoRA over attention in the UNet and in every text encoder; and the checkpoint with `WEIGHT` of it merged in."""
    torch.manual_seed(5)
    by_hand = copy.deepcopy(tiny)
    tensors: dict[str, Tensor] = {}
    for place, network in enumerate([by_hand.unet, *by_hand.text_encoders]):
        for path, layer in network.named_modules():
            if isinstance(layer, nn.Linear) and re.search(r"attn[12]\.to_(q|out\.0)$|self_attn\.v_proj$", path):
                up, down = torch.randn(layer.out_features, RANK) * 0.3, torch.randn(RANK, layer.in_features) * 0.3
                layer.weight.data += WEIGHT * ALPHA / RANK * (up @ down)
                key, (first, second) = spelling(tiny.family, place, path), ("B", "A") if spelling is diffusers else ("up", "down")
                tensors |= {f"{key}.lora_{first}.weight": up, f"{key}.lora_{second}.weight": down}
                tensors[f"{key}.alpha"] = torch.tensor(ALPHA)
    lora.parent.mkdir(parents=True)
    save_file(tensors, lora)
    by_hand.write_file(merged)


@pytest.fixture(params=[("sd15", kohya), ("sdxl", diffusers)], ids=["sd15-kohya", "sdxl-diffusers"])
def engine(
    request: pytest.FixtureRequest, engine_for: Callable[..., Engine], tiny_sd15: Any, tiny_sdxl: Any, tmp_path: Path
) -> Engine:
    """With a LoRA `ink` for its model `tiny`, and a model `merged` that has it inside."""
    family, spelling = request.param
    tiny = {"sd15": tiny_sd15, "sdxl": tiny_sdxl}[family]
    folder = tmp_path / "more"
    write_lora_and_merged(tiny, spelling, folder / "loras" / "ink.safetensors", folder / "merged.safetensors")
    made = engine_for(family, "auto")  # what was recorded with other weights must not be played
    made.library.add(folder / "loras")
    made.library.add(folder / "merged.safetensors")
    return made


def far(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> int:
    return int(np.abs(a.astype(int) - b).max())


def test_a_lora_draws_what_a_merged_model_draws_and_leaves_no_trace(engine: Engine) -> None:
    model = engine.open("tiny")
    networks = [model.unet, *model.text.text_encoders]
    before = [{key: tensor.clone() for key, tensor in network.state_dict().items()} for network in networks]

    plain = draw(engine)
    inked = draw(engine, prompt=f"a bottle <lora:ink:{WEIGHT}>")
    assert (inked == draw(engine, loras=(("ink", WEIGHT),))).all()
    assert (inked != draw(engine, loras=(("ink", WEIGHT / 4),))).any(), "the weight makes no difference"
    assert far(inked, draw(engine, model="merged")) <= 1 < far(inked, plain)
    assert (draw(engine) == plain).all()

    draw(engine, loras=(("ink", WEIGHT),))
    engine.unload()
    for network, weights in zip(networks, before, strict=True):
        after = network.state_dict()
        assert after.keys() == weights.keys()
        assert all(torch.equal(after[key], weights[key]) for key in weights)


def test_the_lora_stays_where_layerdiffuse_stops(engine: Engine) -> None:
    """With `stop_at` 0 the base model alone draws: with the artist's LoRA."""
    inked = draw(engine, loras=(("ink", WEIGHT),), stop_at=0.0)
    assert far(inked, draw(engine, model="merged", stop_at=0.0)) <= 1 < far(inked, draw(engine, stop_at=0.0))


def test_names_that_lead_nowhere_are_refused_before_a_model_is_opened(engine: Engine) -> None:
    with pytest.raises(ModelMissing, match="there is no LoRA 'inc'") as missing:
        draw(engine, prompt="a bottle <lora:inc>")
    assert missing.value.hint == "Installed are: ink."
    with pytest.raises(BadRequest, match="sketchpad models take none"):
        draw(engine, model="sketchpad", loras=(("ink", 1.0),))
    assert "tiny" not in engine._models


def test_a_lora_of_the_other_family_is_refused(engine: Engine, tmp_path: Path) -> None:
    family = engine.library.find("tiny", "checkpoint").family
    width = {"sd15": 40, "sdxl": 24}[str(family)]
    key = "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_k.lora_{}.weight"
    (tmp_path / "foreign" / "loras").mkdir(parents=True)
    save_file(
        {key.format("A"): torch.zeros(2, width), key.format("B"): torch.zeros(32, 2)},
        tmp_path / "foreign" / "loras" / "other.safetensors",
    )
    engine.library.add(tmp_path / "foreign" / "loras")
    with pytest.raises(BadRequest, match=r"other\.safetensors is a LoRA for .*; one for .* is needed"):
        draw(engine, loras=(("other", 1.0),))
