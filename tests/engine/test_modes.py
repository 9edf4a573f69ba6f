"""Every LayerDiffuse mode end to end, on tiny models with the real block structure and the real keys.

The weights are random: what is judged is which networks see what, which layers come out, and that nothing leaks from job to job.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import BadRequest, Engine, ModelMissing, Picture, Request, base_models, catalogue, checkpoints
from acetate.engine.library import Library
from acetate.engine.model import Model
from acetate.engine.transparency import TransparentDecoder, TransparentEncoder
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]
SHARING = {
    "transparent-attention": (1, False),
    "joint": (3, False),
    "foreground-to-background": (2, True),
    "background-to-foreground": (2, True),
}
CONCATENATED = {
    "foreground-to-blended": 8,
    "background-to-blended": 8,
    "foreground-blended-to-background": 12,
    "background-blended-to-foreground": 12,
}
RESIDUAL = re.compile(r"\.(in_layers|out_layers|emb_layers|skip_connection|op|conv)\.|diffusion_model\.out\.|blocks\.0\.0\.bias")
"""What the conditioned files change besides the first convolution's weight (layerdiffuse.md 1.4)."""
ATTENTION = (".to_q.weight", ".to_k.weight", ".to_v.weight", ".to_out.0.weight")


def random_weights(shapes: Shapes, scale: float = 0.05) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {key: torch.randn(shape, generator=generator) * scale for key, shape in shapes.items()}


def sdxl_weights(tiny: Any, role: str) -> dict[str, Tensor]:
    """A patch file with ldm keys for the tiny SDXL UNet."""
    prefix = "model.diffusion_model."
    unet = {k.removeprefix("model."): tuple(v.shape) for k, v in tiny.ldm_tensors().items() if k.startswith(prefix)}
    shapes: Shapes = {}
    for key, shape in unet.items():
        embedding = "_emb" in key.split(".")[1]
        attention = key.endswith(ATTENTION) and ".attn" in key
        if role == "transparent-attention" and attention:
            shapes |= {f"{key}::lora::0": (shape[0], 4), f"{key}::lora::1": (4, shape[1])}
        plain = role == "transparent-convolution" and not key.endswith(ATTENTION[:3]) and not embedding
        if plain or (role in CONCATENATED and RESIDUAL.search(key)):
            shapes[f"{key}::diff::0"] = shape
    if role in CONCATENATED:
        width = unet["diffusion_model.input_blocks.0.0.weight"][0]
        shapes["diffusion_model.input_blocks.0.0.weight::diff::0"] = (width, CONCATENATED[role], 3, 3)
    return random_weights(shapes)


def write_models(folder: Path, tiny: Any, units: Callable[..., Shapes]) -> None:
    """A models folder as ComfyUI keeps it: one checkpoint, and every LayerDiffuse file of the family under its published name."""
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "layer_model").mkdir()
    tiny.write_file(folder / "checkpoints" / "tiny.safetensors")
    roles = {row.role for row in catalogue.ROWS if row.family == tiny.family and row.role != "checkpoint"}
    torch.manual_seed(1)
    for role in roles:
        if role == "transparent-decoder":
            weights = TransparentDecoder(4, (8, 8, 8, 16), attention_levels=1).state_dict()
        elif role == "transparent-encoder":
            weights = TransparentEncoder(4, (8, 8, 8, 8)).state_dict()
        elif tiny.family == "sd15":
            frames, controlled = SHARING[role]
            weights = random_weights(units(tiny.unet, frames, controlled=controlled))
        else:
            weights = sdxl_weights(tiny, role)
        save_file(
            {k: v.contiguous() for k, v in weights.items()},
            folder / "layer_model" / catalogue.candidates(tiny.family, role)[0].file,
        )


@pytest.fixture(scope="session")
def models(
    tmp_path_factory: pytest.TempPathFactory, tiny_sd15: Any, tiny_sdxl: Any, units: Callable[..., Shapes]
) -> dict[str, Path]:
    folders = {}
    for tiny in (tiny_sd15, tiny_sdxl):
        folders[tiny.family] = tmp_path_factory.mktemp(tiny.family)
        write_models(folders[tiny.family], tiny, units)
        tiny.write_configs(folders[tiny.family] / "configs")
    return folders


@pytest.fixture
def engine_for(models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Engine]:
    monkeypatch.setattr(base_models, "NATIVE", {"sd15": 64, "sdxl": 64})
    monkeypatch.setattr(checkpoints, "packaged_configs", lambda family: models[family] / "configs")

    def make(family: str) -> Engine:
        return Engine("cpu", Library(models[family], tmp_path / "settings", tmp_path / "cache"))

    return make


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    rgba = np.random.default_rng(0).integers(0, 256, (64, 64, 4)).astype(np.uint8)
    rgba[:20, :, 3] = 0
    return rgba


def layers(engine: Engine, **values: Any) -> list[Picture]:
    request = Request(**{"prompt": "a bottle", "model": "tiny", "steps": 2, "alpha_passes": 1, **values})
    return [event for event in engine.run(request) if isinstance(event, Picture)]


BOTH = pytest.mark.parametrize("family", ["sd15", "sdxl"])
GIVEN = {"background": ("foreground",), "object": ("background",)}
MADE = {
    "foreground": ["foreground"],
    "scene": ["foreground", "background", "blended"],
    "background": ["background", "blended"],
    "object": ["foreground", "blended"],
}


@BOTH
@pytest.mark.parametrize("task", MADE)
def test_every_mode_makes_its_layers(
    engine_for: Callable[[str], Engine], picture: NDArray[np.uint8], family: str, task: str
) -> None:
    made = layers(engine_for(family), task=task, **{role: picture for role in GIVEN.get(task, ())})
    assert [p.role for p in made] == MADE[task]
    assert all(p.rgba.shape == (64, 64, 4) for p in made)
    assert [p.hidden for p in made] == [p.role == "blended" for p in made]
    assert all((p.rgba[..., 3] == 255).all() for p in made if p.role != "foreground")
    assert len({p.rgba.tobytes() for p in made}) == len(made)


@pytest.mark.parametrize(
    ("task", "given", "role"),
    [
        ("blend", ("foreground",), "blended"),
        ("blend", ("background",), "blended"),
        ("extract-background", ("foreground", "blended"), "background"),
        ("extract-foreground", ("background", "blended"), "foreground"),
    ],
)
def test_the_single_steps_of_sdxl(
    engine_for: Callable[[str], Engine], picture: NDArray[np.uint8], task: str, given: tuple[str, ...], role: str
) -> None:
    engine = engine_for("sdxl")
    made = layers(engine, task=task, **dict.fromkeys(given, picture))
    assert [p.role for p in made] == [role]
    assert not made[0].hidden, "the only result must be visible"
    other = picture.copy()
    other[..., :3] = 255 - other[..., :3]
    changed = layers(engine, task=task, **dict.fromkeys(given, other))
    assert (changed[0].rgba != made[0].rgba).any(), "the condition makes no difference"


@BOTH
def test_refine_and_repaint_use_the_encoder(engine_for: Callable[[str], Engine], picture: NDArray[np.uint8], family: str) -> None:
    engine = engine_for(family)
    calls: list[Tensor] = []
    engine.open("tiny").codec.encoder.register_forward_hook(lambda _, given, out: calls.append(given[0]))  # type: ignore[attr-defined]
    (refined,) = layers(engine, task="refine", source=picture, strength=0.5)
    mask = np.zeros((64, 64), np.uint8)
    mask[10:30, 10:30] = 255
    (repainted,) = layers(engine, task="repaint", source=picture, mask=mask)
    assert len(calls) == 2
    assert torch.equal(calls[0][0, 0], torch.from_numpy(picture[..., 3] / np.float32(255))), "alpha must come first"
    assert refined.rgba.shape == picture.shape
    assert (repainted.rgba[mask == 0] == picture[mask == 0]).all()


@BOTH
def test_upscale_redraws_with_the_unpatched_base_model(
    engine_for: Callable[[str], Engine], picture: NDArray[np.uint8], family: str
) -> None:
    """Also when a layer was drawn just before; `refine` takes the transparent weights instead."""
    asked = {"task": "upscale", "source": picture, "scale": 1.5, "strength": 0.5, "steps": 4, "prompt": ""}
    (fresh,) = layers(engine_for(family), **asked)
    engine = engine_for(family)
    layers(engine)
    (redrawn,) = layers(engine, **asked)
    (enlarged,) = layers(engine, **{**asked, "strength": 0})
    (refined,) = layers(engine, **asked, upscaling={"mode": "refine"})

    assert np.array_equal(redrawn.rgba, fresh.rgba)
    assert np.array_equal(redrawn.rgba[..., 3], enlarged.rgba[..., 3]), "alpha goes its own way"
    assert (redrawn.rgba[..., :3] != enlarged.rgba[..., :3]).any()
    assert refined.rgba.shape == redrawn.rgba.shape == (96, 96, 4)
    assert (refined.rgba[..., 3] != enlarged.rgba[..., 3]).any()


@BOTH
def test_switching_modes_and_back_gives_the_same_bytes(
    engine_for: Callable[[str], Engine], picture: NDArray[np.uint8], family: str
) -> None:
    engine = engine_for(family)
    before = {k: v.clone() for k, v in engine.open("tiny").unet.state_dict().items()}
    first = layers(engine, seed=3)[0].rgba
    layers(engine, task="object", background=picture)
    layers(engine, task="scene")
    assert (layers(engine, seed=3)[0].rgba == first).all()
    model = engine.open("tiny")
    engine.unload()
    after = model.unet.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[k], before[k]) for k in before), "unloading must leave the checkpoint's own weights"


def seen_inputs(model: Model, engine: Engine, **values: Any) -> list[Tensor]:
    """What the UNet is called with."""
    inputs: list[Tensor] = []
    handle = model.unet.register_forward_pre_hook(lambda _, given: inputs.append(given[0].clone()))
    layers(engine, **values)
    handle.remove()
    return inputs


def test_conditions_are_appended_unscaled_by_noise_and_equal_in_both_halves(
    engine_for: Callable[[str], Engine], picture: NDArray[np.uint8]
) -> None:
    engine = engine_for("sdxl")
    model = engine.open("tiny")
    inputs = seen_inputs(model, engine, task="blend", foreground=picture, steps=3)
    condition = model.codec.encode_opaque(picture)
    assert [tuple(x.shape) for x in inputs] == [(2, 8, 8, 8)] * 3
    for given in inputs:
        assert torch.equal(given[:, 4:], condition.expand(2, -1, -1, -1))
        assert torch.equal(given[0], given[1])


def test_the_chain_hands_its_blended_latents_on(engine_for: Callable[[str], Engine], picture: NDArray[np.uint8]) -> None:
    engine = engine_for("sdxl")
    inputs = seen_inputs(engine.open("tiny"), engine, task="object", background=picture)
    assert [x.shape[1] for x in inputs] == [8, 8, 12, 12]
    assert torch.equal(inputs[0][0, 4:], inputs[2][0, 4:8]), "the background comes first in both runs"


def test_below_stop_at_the_base_model_goes_on_without_conditions(
    engine_for: Callable[[str], Engine], picture: NDArray[np.uint8]
) -> None:
    engine = engine_for("sdxl")
    inputs = seen_inputs(
        engine.open("tiny"), engine, task="blend", foreground=picture, steps=20, stop_at=0.5, scheduler="dpmpp-2m-karras"
    )
    assert [x.shape[1] for x in inputs] == [8] * 9 + [4] * 11


def test_prompts_of_single_layers_change_their_layer(engine_for: Callable[[str], Engine]) -> None:
    engine = engine_for("sd15")
    plain = {p.role: p.rgba for p in layers(engine, task="scene")}
    asked = {p.role: p.rgba for p in layers(engine, task="scene", prompts={"background": "a meadow under a wide sky"})}
    assert (asked["background"] != plain["background"]).any()


def test_layer_weight_zero_is_the_base_model(engine_for: Callable[[str], Engine]) -> None:
    engine = engine_for("sdxl")
    zero, one = (layers(engine, layer_weight=w)[0].rgba for w in (0.0, 1.0))
    assert (zero != one).any(), "the patch does nothing"


def test_convolution_injection_uses_its_own_file(engine_for: Callable[[str], Engine]) -> None:
    engine = engine_for("sdxl")
    attention, convolution = (layers(engine, injection=kind)[0].rgba for kind in ("attention", "convolution"))
    assert (attention != convolution).any()


def test_a_missing_weight_file_names_the_command_that_brings_it(
    engine_for: Callable[[str], Engine], models: dict[str, Path], tmp_path: Path
) -> None:
    import shutil

    part = tmp_path / "part"
    shutil.copytree(models["sd15"], part)
    (part / "layer_model" / catalogue.candidates("sd15", "joint")[0].file).unlink()
    engine = Engine("cpu", Library(part, tmp_path / "s", tmp_path / "c"))
    with pytest.raises(ModelMissing) as refused:
        layers(engine, task="scene")
    assert refused.value.hint == "acetate models pull sd15-joint"


def test_a_family_without_the_mode_says_which_has_it(engine_for: Callable[[str], Engine], picture: NDArray[np.uint8]) -> None:
    with pytest.raises(BadRequest, match="'blend'.*sd15") as refused:
        layers(engine_for("sd15"), task="blend", foreground=picture)
    assert "sdxl" in refused.value.hint


@BOTH
def test_conditions_of_another_size_are_brought_to_the_target(
    engine_for: Callable[[str], Engine], picture: NDArray[np.uint8], family: str
) -> None:
    (background, _) = layers(engine_for(family), task="background", foreground=picture, width=100, height=70)
    assert background.rgba.shape == (70, 100, 4)


@BOTH
def test_a_folder_and_a_file_of_one_model_draw_the_same(
    engine_for: Callable[[str], Engine], tiny_sd15: Any, tiny_sdxl: Any, tmp_path: Path, models: dict[str, Path], family: str
) -> None:
    tiny = {"sd15": tiny_sd15, "sdxl": tiny_sdxl}[family]
    tiny.write_folder(tmp_path / "diffusers" / "folder")
    engine = engine_for(family)
    engine.library.add(tmp_path / "diffusers")
    assert (layers(engine, model="folder")[0].rgba == layers(engine)[0].rgba).all()


def test_offers_name_the_checkpoints_and_their_tasks(engine_for: Callable[[str], Engine]) -> None:
    offers = {model["name"]: model for model in engine_for("sdxl").describe()["models"]}
    assert offers["tiny"]["family"] == "sdxl"
    assert "blend" in offers["tiny"]["tasks"]
    assert "blend" not in offers["sketchpad"]["tasks"]
