"""LoRAs and embeddings through whole jobs: what is left out is said, what cannot be used is refused before a model is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import BadRequest, Engine, Picture, Request
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.files.structures import structure_of
from acetate.engine.values.errors import ModelBroken
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from ..adapters.synthetic_loras import synthetic_lora

LAYERS = ("mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0",)
TEXT = ("encoder.layers.0.mlp.fc1",)


class Drawing:
    """An engine with a tiny model and a folder of what is added to it."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        family = str(engine.library.find("tiny", "checkpoint").family)
        self.family, self.structure = family, structure_of(BASE_FAMILIES[family])
        for name in ("loras", "embeddings"):
            (folder / name).mkdir(parents=True)
        self.add("first", self.lora())
        engine.library.add(folder)

    def add(self, name: str, tensors: dict[str, Tensor], kind: str = "loras", **metadata: str) -> None:
        save_file(tensors, self.folder / kind / f"{name}.safetensors", metadata or None)

    def lora(self, kind: str = "LoHa", **layers: Any) -> dict[str, Tensor]:
        shapes = synthetic_lora(self.family, self.structure, kind, **{"unet": LAYERS, "text": TEXT, **layers}).shapes
        generator = torch.Generator().manual_seed(2)
        return {key: torch.randn(shape, generator=generator) * 2 for key, shape in shapes.items()}

    def vectors(self, count: int = 2, seed: int = 1) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        names = ("clip_l", "clip_g") if len(self.structure.text_widths) > 1 else ("emb_params",)
        widths = self.structure.text_widths
        return {name: torch.randn(count, width, generator=generator) for name, width in zip(names, widths, strict=True)}

    def draw(self, prompt: str = "a bottle", **values: Any) -> Picture:
        request = Request(**{"prompt": prompt, "model": "tiny", "steps": 1, "alpha_passes": 1, **values})
        return next(event for event in self.engine.run(request) if isinstance(event, Picture))

    def pixels(self, prompt: str = "a bottle", **values: Any) -> NDArray[np.uint8]:
        return self.draw(prompt, **values).rgba


@pytest.fixture(params=BASE_FAMILIES)
def drawing(request: pytest.FixtureRequest, engine_for: Callable[..., Engine], tmp_path: Path) -> Drawing:
    return Drawing(engine_for(request.param), tmp_path / "more")


def test_a_part_of_a_lora_that_has_no_place_is_said_and_the_rest_drawn(drawing: Drawing) -> None:
    whole = drawing.lora()
    drawing.add("whole", whole)
    drawing.add("more", {**whole, "lora_unet_nowhere.alpha": torch.ones(1), "stray": torch.ones(1)})
    plain = drawing.pixels()
    said = drawing.draw(loras=(("more", 1.0),))
    count = len(drawing.structure.networks)
    assert f"LoRA 'more': used {count} of {count + 1} layers; lora_unet_nowhere, stray have no place here" in said.warnings
    used = drawing.draw(loras=(("whole", 1.0),))
    assert (said.rgba == used.rgba).all()
    assert (said.rgba != plain).any()
    assert not [warning for warning in used.warnings if "LoRA" in warning]
    assert said.parameters["loras"] == [["more", 1.0]]


def test_a_line_of_retrained_models_is_said_when_it_is_used(drawing: Drawing) -> None:
    drawing.add("pony", drawing.lora(), ss_sd_model_name="ponyDiffusionV6XL.safetensors")
    assert any("LoRA 'pony': it was made with Pony" in warning for warning in drawing.draw("a cat <lora:pony:0.5>").warnings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: {key: tensor * torch.nan for key, tensor in tensors.items()}, "holds NaN or infinity in lora_"),
        (
            lambda tensors: {key: tensor[:0] if tensor.ndim else tensor for key, tensor in tensors.items()},
            "is empty: its tensors hold no values",
        ),
        (
            lambda tensors: {f"lora_unet_double_blocks_0_{key}": t for key, t in tensors.items()},
            "is a LoRA for Flux or Hunyuan Video and cannot",
        ),
        (lambda tensors: dict([next(iter(tensors.items()))]), "its layers are incomplete"),
    ],
)
def test_a_lora_that_cannot_be_used_is_refused_before_a_model_is_opened(
    drawing: Drawing, change: Callable[[dict[str, Tensor]], dict[str, Tensor]], message: str
) -> None:
    drawing.add("bad", change(drawing.lora("LoRA and LoCon", text=())))
    with pytest.raises(ModelBroken, match=rf"bad\.safetensors .*{message}"):
        drawing.draw(loras=(("bad", 1.0),))
    assert "tiny" not in drawing.engine._models


def test_block_weights_for_another_family_are_said(drawing: Drawing) -> None:
    length = {"sd15": 12, "sdxl": 17}[drawing.family]
    warnings = drawing.draw(loras=(("first", 1.0, 1.0, (0.5,) * length),)).warnings
    assert any(f"LoRA 'first': {length} block weights are for another kind of model" in warning for warning in warnings)


@pytest.mark.parametrize("network", ["unet", "text"])
def test_a_weight_of_one_network_alone_is_heeded(drawing: Drawing, network: str) -> None:
    both = drawing.lora()
    drawing.add("both", both)
    drawing.add("unet", {key: tensor for key, tensor in both.items() if key.startswith("lora_unet")})
    drawing.add("text", {key: tensor for key, tensor in both.items() if key.startswith("lora_te")})
    weights = "1:0" if network == "unet" else "0:1"
    alone = drawing.pixels(f"a bottle <lora:{network}:1>")
    assert np.abs(drawing.pixels(f"a bottle <lora:both:{weights}>").astype(int) - alone).max() <= 1
    assert (alone != drawing.pixels()).any()


def test_an_embedding_is_used_in_prompts_by_its_name_and_with_emphasis(drawing: Drawing) -> None:
    drawing.add("EasyNegative", drawing.vectors(), "embeddings")
    plain, named = drawing.pixels(), drawing.draw("a bottle, embedding:EasyNegative")
    assert (named.rgba != plain).any()
    assert named.parameters["prompt"] == "a bottle, embedding:EasyNegative"
    assert (drawing.pixels("a bottle, easynegative") == named.rgba).all()
    assert (drawing.pixels("a bottle, (EasyNegative:1.4)") != named.rgba).any()
    assert (drawing.pixels(negative_prompt="EasyNegative") != plain).any()
    drawing.add("EasyNegative", drawing.vectors(seed=9), "embeddings")
    assert (drawing.pixels("a bottle, EasyNegative") != named.rgba).any()
    assert (drawing.pixels() == plain).all()


def test_an_embedding_that_was_trained_with_a_lora_comes_with_it(drawing: Drawing) -> None:
    parts = {f"bundle_emb.mychar.{part}": tensor for part, tensor in drawing.vectors().items()}
    drawing.add("char", {**drawing.lora(), **parts})
    drawing.add("bare", drawing.lora())
    with_it, without = (drawing.draw(f"mychar <lora:{name}:1>") for name in ("char", "bare"))
    assert (with_it.rgba != without.rgba).any()
    assert not with_it.warnings or not any("LoRA" in warning for warning in with_it.warnings)
    drawing.add("mychar", drawing.vectors(), "embeddings")
    assert (drawing.pixels("mychar <lora:bare:1>") == with_it.rgba).all()


def test_an_embedding_that_cannot_be_used_is_named(drawing: Drawing) -> None:
    drawing.add("narrow", {"emb_params": torch.ones(2, 7)}, "embeddings")
    others = {"sd15": {"clip_l": torch.ones(1, 16), "clip_g": torch.ones(1, 24)}, "sdxl": {"emb_params": torch.ones(1, 24)}}
    drawing.add("foreign", others[drawing.family], "embeddings")
    drawing.add("broken", {key: tensor * torch.nan for key, tensor in drawing.vectors().items()}, "embeddings")
    warnings = drawing.draw("embedding:narrow, foreign, embedding:nowhere").warnings
    assert any("embedding 'narrow' was not used: narrow.safetensors is a textual inversion embedding: its" in w for w in warnings)
    assert any("embedding 'foreign' was not used: foreign.safetensors is an embedding for" in w for w in warnings)
    assert "embedding 'nowhere' was left out: it is not installed" in warnings
    with pytest.raises(ModelBroken, match="holds NaN or infinity"):
        drawing.draw("broken")


def test_an_embedding_in_a_lora_that_does_not_fit_leaves_the_lora_usable(drawing: Drawing) -> None:
    drawing.add("char", {**drawing.lora(), "bundle_emb.mychar.clip_l": torch.ones(2, 7)})
    said = "LoRA 'char': its embedding 'mychar' was not used: char.safetensors: its vectors have width 7"
    assert any(warning.startswith(said) for warning in drawing.draw(loras=(("char", 1.0),)).warnings)


def test_pickled_files_are_named_and_never_opened(drawing: Drawing) -> None:
    (drawing.folder / "embeddings" / "EasyNegative.pt").write_bytes(b"PK")
    (drawing.folder / "loras" / "old.pt").write_bytes(b"PK")
    assert any(
        "'EasyNegative' was not used: EasyNegative.pt is a pickled file" in w for w in drawing.draw("easynegative").warnings
    )
    with pytest.raises(ModelBroken, match=r"old\.pt is a pickled file and cannot be used: .* convert it"):
        drawing.draw(loras=(("old", 1.0),))


def test_the_built_in_model_says_that_it_takes_none(drawing: Drawing) -> None:
    drawing.add("cat", drawing.vectors(), "embeddings")
    warnings = drawing.draw("embedding:cat, a boat", model="sketchpad").warnings
    assert "embedding 'cat' was left out: sketchpad models take none" in warnings
    with pytest.raises(BadRequest, match="sketchpad models take none"):
        drawing.draw(model="sketchpad", loras=(("ink", 1.0),))


def test_clients_are_told_of_loras_and_embeddings_and_why_some_cannot_be_used(drawing: Drawing) -> None:
    drawing.add("flux", {"lora_unet_double_blocks_0_img_mlp_0.alpha": torch.ones(1), "x.lora_up.weight": torch.ones(1, 1)})
    drawing.add("cat", drawing.vectors(), "embeddings")
    described = drawing.engine.describe()
    loras = {one["name"]: one for one in described["loras"]}
    assert loras["first"]["family"] == drawing.family
    assert loras["first"]["problem"] == ""
    assert (loras["flux"]["what"], loras["flux"]["problem"]) == (
        "a LoRA for Flux or Hunyuan Video",
        "only LoRAs for SD 1.5 and SDXL can be used",
    )
    assert [one["what"].split(", ")[-1] for one in described["embeddings"]] == ["2 vectors"]
