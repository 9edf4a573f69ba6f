"""Every LayerDiffuse mode end to end, on tiny models with the real block structure and the real keys.

The weights are random: what is judged is which networks see what, which layers come out, and that nothing leaks from job to job.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import BadRequest, Engine, ModelMissing, Picture, Request
from acetate.engine import engine as engine_module
from acetate.engine.files import catalogue
from acetate.engine.files.library import Library
from acetate.engine.layerdiffuse.attention_unit import AttentionSharingUnit
from acetate.engine.weights import patches
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor


def carries_layerdiffuse(unet: Any) -> bool:
    return bool(patches.stack(unet)) or any(isinstance(part, AttentionSharingUnit) for part in unet.modules())


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
    shared_for: Callable[[str], Engine], picture: NDArray[np.uint8], family: str, task: str
) -> None:
    made = layers(shared_for(family), task=task, **{role: picture for role in GIVEN.get(task, ())})
    assert [p.role for p in made] == MADE[task]
    assert all(p.rgba.shape == (64, 64, 4) for p in made)
    assert [p.hidden for p in made] == [p.role == "blended" for p in made]
    assert all((p.rgba[..., 3] == 255).all() for p in made if p.role != "foreground")
    assert len({p.rgba.tobytes() for p in made}) == len(made)


@pytest.mark.parametrize("task", ["foreground", "object"])
def test_a_recording_draws_the_same_bytes(
    engine_for: Callable[..., Engine], shared_for: Callable[[str], Engine], picture: NDArray[np.uint8], task: str
) -> None:
    """In the first run, which is written down, and in the second, which is played."""
    asked: Any = {"task": task, "seed": 5, **{role: picture for role in GIVEN.get(task, ())}}
    recording = engine_for("sdxl", "auto")
    recorded, played = (layers(recording, **asked) for _ in range(2))
    plain = layers(shared_for("sdxl"), **asked)
    assert [p.rgba.tobytes() for p in recorded] == [p.rgba.tobytes() for p in played] == [p.rgba.tobytes() for p in plain]


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
    shared_for: Callable[[str], Engine], picture: NDArray[np.uint8], task: str, given: tuple[str, ...], role: str
) -> None:
    engine = shared_for("sdxl")
    made = layers(engine, task=task, **dict.fromkeys(given, picture))
    assert [p.role for p in made] == [role]
    assert not made[0].hidden, "the only result must be visible"
    other = picture.copy()
    other[..., :3] = 255 - other[..., :3]
    changed = layers(engine, task=task, **dict.fromkeys(given, other))
    assert (changed[0].rgba != made[0].rgba).any(), "the condition makes no difference"


@BOTH
def test_refine_and_repaint_use_the_encoder(engine_for: Callable[..., Engine], picture: NDArray[np.uint8], family: str) -> None:
    engine = engine_for(family)
    calls: list[Tensor] = []
    model, patched = engine.open("tiny"), set()
    model.codec.encoder.register_forward_hook(lambda _, given, out: calls.append(given[0]))  # type: ignore[attr-defined]
    model.unet.register_forward_pre_hook(lambda unet, _: patched.add(carries_layerdiffuse(unet)))
    (refined,) = layers(engine, task="refine", source=picture, strength=0.5)
    mask = np.zeros((64, 64), np.uint8)
    mask[10:30, 10:30] = 255
    (repainted,) = layers(engine, task="repaint", source=picture, mask=mask)
    assert len(calls) == 2
    assert patched == {True}, "without the transparent weights the background turns white"
    assert torch.equal(calls[0][0, 0], torch.from_numpy(picture[..., 3] / np.float32(255))), "alpha must come first"
    assert refined.rgba.shape == picture.shape
    assert (repainted.rgba[mask == 0] == picture[mask == 0]).all()


def test_an_encoder_that_does_not_fit_is_remarked_on_the_layer(
    engine_for: Callable[..., Engine], picture: NDArray[np.uint8]
) -> None:
    engine = engine_for("sdxl")
    codec: Any = engine.open("tiny").codec
    for asked in ({"task": "refine"}, {"task": "upscale", "scale": 1.0, "upscaling": {"mode": "refine"}}):
        for factor, remarked in ((1.0, False), (3e4, True)):
            codec.offset_factor = factor
            (made,) = layers(engine, **asked, source=picture, strength=0.5)
            assert any("encoder does not fit" in warning for warning in made.warnings) is remarked


@BOTH
def test_upscale_redraws_with_the_unpatched_base_model(
    engine_for: Callable[..., Engine], picture: NDArray[np.uint8], family: str
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
    engine_for: Callable[..., Engine], picture: NDArray[np.uint8], family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a model that is opened once: weights are changed in place."""
    engine, opened = engine_for(family, "auto"), []
    open_base_model = engine_module.open_base_model
    monkeypatch.setattr(engine_module, "open_base_model", lambda *given: opened.append(1) or open_base_model(*given))
    before = {k: v.clone() for k, v in engine.open("tiny").unet.state_dict().items()}
    first = layers(engine, seed=3)[0].rgba
    layers(engine, task="object", background=picture)
    layers(engine, task="scene")
    assert (layers(engine, seed=3)[0].rgba == first).all()
    model = engine.open("tiny")
    assert opened == [1]
    engine.unload()
    after = model.unet.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[k], before[k]) for k in before), "unloading must leave the checkpoint's own weights"


def test_a_scene_is_a_background_for_its_own_foreground(shared_for: Callable[[str], Engine]) -> None:
    """The later runs see the layer over mid-grey, as they would see a given one, not its transparent latents."""
    engine = shared_for("sdxl")
    foreground, background, blended = layers(engine, task="scene")
    again = layers(engine, task="background", foreground=foreground.rgba)
    assert [p.rgba.tobytes() for p in again] == [background.rgba.tobytes(), blended.rgba.tobytes()]


@BOTH
def test_given_pictures_are_encoded_once_and_only_where_latents_are_conditions(
    engine_for: Callable[..., Engine], picture: NDArray[np.uint8], family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_for(family)
    codec, encoded = engine.open("tiny").codec, []
    encode = codec.encode_opaque
    monkeypatch.setattr(codec, "encode_opaque", lambda rgba: encoded.append(1) or encode(rgba))
    layers(engine, task="background", foreground=picture, count=2)
    assert len(encoded) == {"sd15": 0, "sdxl": 1}[family]


def test_prompts_of_single_layers_change_their_layer(shared_for: Callable[[str], Engine]) -> None:
    """Also prompts of more than 77 tokens, which the others are padded to."""
    engine = shared_for("sd15")
    model, long = engine.open("tiny"), "a meadow under a wide sky, " * 12
    texts: list[Tensor] = []
    handle = model.unet.register_forward_pre_hook(lambda _, given: texts.append(given[2].clone()))
    plain = {p.role: p.rgba for p in layers(engine, task="scene")}
    asked = {p.role: p.rgba for p in layers(engine, task="scene", prompts={"background": long}, negative_prompt="blur")}
    handle.remove()
    assert (asked["background"] != plain["background"]).any()
    expected = model.text.encode(["blur", "blur", "blur", "a bottle", long, "a bottle"]).embeds
    assert torch.equal(texts[-1], expected), "element image * frames + frame, the negative half first"
    assert expected.shape[1] == 2 * 77


def test_the_prompt_of_a_layer_draws_it(shared_for: Callable[[str], Engine]) -> None:
    engine = shared_for("sd15")
    own = {"foreground": "a key", "background": " "}
    added = layers(engine, task="scene", prompts=own, layer_prompts="add")
    written = layers(engine, task="scene", prompts={"foreground": "a key, a bottle"})
    assert [p.rgba.tobytes() for p in added] == [p.rgba.tobytes() for p in written]


def test_only_foregrounds_are_decoded_with_alpha(engine_for: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each picture, whatever the number of frames."""
    engine = engine_for("sd15")
    codec, decoded = engine.open("tiny").codec, []
    decode = codec.decode
    monkeypatch.setattr(codec, "decode", lambda latents, passes: decoded.append(latents.shape[0]) or decode(latents, passes))
    assert len(layers(engine, task="scene", count=2)) == 6
    assert decoded == [1, 1]


def test_each_family_has_its_own_decoder_and_encoder_factor(engine_for: Callable[..., Engine], models: dict[str, Path]) -> None:
    """Also in one engine that uses both: the files have the same keys and sizes."""
    engine = engine_for("sd15")
    engine.library.add(models["sdxl"])
    for name, family, factor in (("tiny", "sd15", 1.0), ("checkpoints/tiny", "sdxl", 300.0), ("tiny", "sd15", 1.0)):
        codec: Any = engine.open(name).codec
        file = load_file(models[family] / "layer_model" / catalogue.candidates(family, "transparent-decoder")[0].file)
        assert torch.equal(codec.decoder.conv_in.weight, file["conv_in.weight"])
        assert codec.offset_factor == factor


@pytest.mark.parametrize("injection", ["attention", "convolution"])
def test_layer_weight_zero_is_the_base_model(engine_for: Callable[..., Engine], injection: str) -> None:
    engine = engine_for("sdxl", "auto")
    unet = engine.open("tiny").unet
    base = {k: v.clone() for k, v in unet.state_dict().items()}
    zero = layers(engine, layer_weight=0.0, injection=injection)[0].rgba
    assert all(torch.equal(v, base[k]) for k, v in unet.state_dict().items())
    assert (layers(engine, layer_weight=1.0, injection=injection)[0].rgba != zero).any(), "the patch does nothing"


def test_convolution_injection_uses_its_own_file(shared_for: Callable[[str], Engine]) -> None:
    engine = shared_for("sdxl")
    attention, convolution = (layers(engine, injection=kind)[0].rgba for kind in ("attention", "convolution"))
    assert (attention != convolution).any()


def test_a_missing_weight_file_names_the_command_that_brings_it(
    engine_for: Callable[..., Engine], models: dict[str, Path], tmp_path: Path
) -> None:
    import shutil

    part = tmp_path / "part"
    shutil.copytree(models["sd15"], part)
    (part / "layer_model" / catalogue.candidates("sd15", "joint")[0].file).unlink()
    engine = Engine("cpu", Library(part, tmp_path / "s", tmp_path / "c"))
    with pytest.raises(ModelMissing) as refused:
        layers(engine, task="scene")
    assert refused.value.hint == "acetate models pull sd15-joint"


def test_a_family_without_the_mode_says_which_has_it(shared_for: Callable[[str], Engine], picture: NDArray[np.uint8]) -> None:
    with pytest.raises(BadRequest, match="'blend'.*sd15") as refused:
        layers(shared_for("sd15"), task="blend", foreground=picture)
    assert "sdxl" in refused.value.hint


@BOTH
def test_conditions_of_another_size_are_brought_to_the_target(
    shared_for: Callable[[str], Engine], picture: NDArray[np.uint8], family: str
) -> None:
    (background, _) = layers(shared_for(family), task="background", foreground=picture, width=100, height=70)
    assert background.rgba.shape == (70, 100, 4)


@pytest.fixture
def twice_for(
    engine_for: Callable[..., Engine],
    opened: dict[str, Engine],
    tiny_sd15: Any,
    tiny_sdxl: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Engine]:
    """The engine that has a family's tiny model as a file `tiny` and as a diffusers folder `folder`."""

    def get(family: str) -> Engine:
        key = f"{family} twice"
        if key not in opened:
            folders = tmp_path_factory.mktemp("diffusers")
            {"sd15": tiny_sd15, "sdxl": tiny_sdxl}[family].write_folder(folders / "folder")
            opened[key] = engine_for(family)
            opened[key].library.add(folders)
        return opened[key]

    return get


@BOTH
@pytest.mark.parametrize("task", MADE)
def test_a_folder_and_a_file_of_one_model_draw_the_same(
    twice_for: Callable[[str], Engine], picture: NDArray[np.uint8], family: str, task: str
) -> None:
    asked = {"task": task, **{role: picture for role in GIVEN.get(task, ())}}
    folder, file = (layers(twice_for(family), model=name, **asked) for name in ("folder", "tiny"))
    assert len(folder) == len(file)
    for one, other in zip(folder, file, strict=True):  # a matrix product may round by where in memory its weights lie
        np.testing.assert_allclose(one.rgba.astype(int), other.rgba.astype(int), rtol=0, atol=1)


def test_a_distilled_models_caution_is_on_its_transparent_layers(
    engine_for: Callable[..., Engine], tiny_sd15: Any, tmp_path: Path
) -> None:
    engine = engine_for("sd15")
    (tmp_path / "more").mkdir()
    engine.library.add(tiny_sd15.write_file(tmp_path / "more" / "tiny-lcm.safetensors"))
    foreground, *others = layers(engine, model="tiny-lcm", task="scene")
    assert any("distilled" in warning for warning in foreground.warnings)
    assert not any("distilled" in warning for layer in others for warning in layer.warnings)
    assert all("made for 6 steps at guidance 1" in layer.warnings[0] for layer in (foreground, *others)), "each is burnt"


def test_offers_name_the_checkpoints_and_their_tasks(shared_for: Callable[[str], Engine]) -> None:
    offers = {model["name"]: model for model in shared_for("sdxl").describe()["models"]}
    assert offers["tiny"]["family"] == "sdxl"
    assert "blend" in offers["tiny"]["tasks"]
    assert "blend" not in offers["sketchpad"]["tasks"]
