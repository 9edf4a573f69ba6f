"""What the UNet is given in every mode: noise, conditions and sizes, as the weights were trained on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import Engine, Picture, Request
from acetate.engine.layerdiffuse.attention_sharing import AttentionSharing
from acetate.engine.models.model import Model
from acetate.engine.pixels.alpha import fit
from acetate.engine.sampling.denoising_loop import DenoisingLoop, noise_like
from numpy.typing import NDArray
from torch import Tensor


def layers(engine: Engine, **values: Any) -> list[Picture]:
    request = Request(**{"prompt": "a bottle", "model": "tiny", "steps": 2, "alpha_passes": 1, **values})
    return [event for event in engine.run(request) if isinstance(event, Picture)]


def seen_inputs(model: Model, engine: Engine, **values: Any) -> list[Tensor]:
    """What the UNet is called with."""
    inputs: list[Tensor] = []
    handle = model.unet.register_forward_pre_hook(lambda _, given: inputs.append(given[0].clone()))
    layers(engine, **values)
    handle.remove()
    return inputs


def test_conditions_are_appended_unscaled_by_noise_and_equal_in_both_halves(
    shared_for: Callable[[str], Engine], picture: NDArray[np.uint8]
) -> None:
    engine = shared_for("sdxl")
    model = engine.open("tiny")
    inputs = seen_inputs(model, engine, task="blend", foreground=picture, steps=3)
    condition = model.codec.encode_opaque(picture)
    share = 14.6146 / (14.6146**2 + 1) ** 0.5  # of the highest noise level
    torch.testing.assert_close(inputs[0][0, :4], noise_like((4, 8, 8), 0) * share, atol=1e-3, rtol=0)
    assert [tuple(x.shape) for x in inputs] == [(2, 8, 8, 8)] * 3
    for given in inputs:
        assert torch.equal(given[:, 4:], condition.expand(2, -1, -1, -1))
        assert torch.equal(given[0], given[1])


def test_the_chain_hands_its_blended_latents_on(shared_for: Callable[[str], Engine], picture: NDArray[np.uint8]) -> None:
    engine = shared_for("sdxl")
    inputs = seen_inputs(engine.open("tiny"), engine, task="object", background=picture)
    assert [x.shape[1] for x in inputs] == [8, 8, 12, 12]
    assert torch.equal(inputs[0][0, 4:], inputs[2][0, 4:8]), "the background comes first in both runs"


def test_below_stop_at_the_base_model_goes_on_without_conditions(
    shared_for: Callable[[str], Engine], picture: NDArray[np.uint8]
) -> None:
    engine = shared_for("sdxl")
    inputs = seen_inputs(
        engine.open("tiny"), engine, task="blend", foreground=picture, steps=20, stop_at=0.5, scheduler="dpmpp-2m-karras"
    )
    assert [x.shape[1] for x in inputs] == [8] * 9 + [4] * 11


def test_of_a_chain_only_the_last_run_is_stopped(shared_for: Callable[[str], Engine], picture: NDArray[np.uint8]) -> None:
    engine = shared_for("sdxl")
    asked = {"task": "background", "foreground": picture, "steps": 4, "stop_at": 0.5, "scheduler": "dpmpp-2m-karras"}
    channels = [x.shape[1] for x in seen_inputs(engine.open("tiny"), engine, **asked)]
    assert channels[:4] == [8] * 4
    assert channels[4] == 12
    assert channels[-1] == 4


def test_at_the_switch_the_solver_forgets_what_the_patched_model_said(
    engine_for: Callable[[str], Engine], picture: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, calls, forgotten = engine_for("sdxl"), [], []
    engine.open("tiny").unet.register_forward_pre_hook(lambda *_: calls.append(1))
    forget = DenoisingLoop.forget
    monkeypatch.setattr(DenoisingLoop, "forget", lambda self: forgotten.append(len(calls)) or forget(self))
    layers(engine, task="blend", foreground=picture, steps=20, stop_at=0.5, scheduler="dpmpp-2m-karras")
    assert forgotten == [9]


@pytest.mark.parametrize(("task", "first"), [("extract-background", "foreground"), ("extract-foreground", "background")])
def test_the_given_layer_comes_before_the_blended_picture(
    shared_for: Callable[[str], Engine], picture: NDArray[np.uint8], task: str, first: str
) -> None:
    engine = shared_for("sdxl")
    model, blended = engine.open("tiny"), np.ascontiguousarray(picture[::-1])
    for given in seen_inputs(model, engine, task=task, **{first: picture, "blended": blended}):
        for half in given:
            assert torch.equal(half[4:8], model.codec.encode_opaque(picture)[0])
            assert torch.equal(half[8:], model.codec.encode_opaque(blended)[0])


@pytest.mark.parametrize("mode", ["crop", "stretch", "fill"])
def test_conditions_are_resized_as_asked(shared_for: Callable[[str], Engine], picture: NDArray[np.uint8], mode: Any) -> None:
    engine, wide = shared_for("sdxl"), np.ascontiguousarray(picture[:40])
    model = engine.open("tiny")
    given = seen_inputs(model, engine, task="blend", background=wide, width=64, height=64, resize_mode=mode)[0]
    assert torch.equal(given[0, 4:], model.codec.encode_opaque(fit(wide, 64, 64, mode))[0])


def test_sdxl_is_told_height_before_width_in_both_halves(engine_for: Callable[[str], Engine]) -> None:
    engine, told = engine_for("sdxl"), []
    engine.open("tiny").unet.register_forward_pre_hook(
        lambda _, __, named: told.append(named["added_cond_kwargs"]["time_ids"].tolist()), with_kwargs=True
    )
    layers(engine, width=128, height=64)
    assert told == [[[64, 128, 0, 0, 64, 128]] * 2] * 2


def test_sd15_sees_the_given_picture_over_mid_grey(
    engine_for: Callable[[str], Engine], picture: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    set_control = AttentionSharing.set_control
    monkeypatch.setattr(AttentionSharing, "set_control", lambda self, image: seen.append(image) or set_control(self, image))
    picture[20:30, :, 3] = 255
    layers(engine_for("sd15"), task="background", foreground=picture)
    (image,) = seen
    assert image.shape == (1, 3, 64, 64)
    assert (image[:, :, :20] == 0.5).all(), "alpha is 0 there"
    expected = torch.from_numpy(picture[20:30, :, :3] / np.float32(255)).permute(2, 0, 1)
    torch.testing.assert_close(image[0, :, 20:30], expected)


@pytest.mark.parametrize(("task", "role"), [("background", "foreground"), ("object", "background")])
def test_what_sd15_predicts_depends_on_the_given_picture(
    engine_for: Callable[[str], Engine], picture: NDArray[np.uint8], task: str, role: str
) -> None:
    engine, said = engine_for("sd15"), []
    engine.open("tiny").unet.register_forward_hook(lambda _, __, output: said.append(output[0]))
    for given in (picture, np.ascontiguousarray(picture[::-1])):
        layers(engine, task=task, **{role: given}, steps=1)
    first, second = said
    assert ((first - second).flatten(1).abs().amax(dim=1) > 0).all(), "a frame does not see it"


def test_every_frame_starts_from_noise_of_its_own(shared_for: Callable[[str], Engine]) -> None:
    engine = shared_for("sd15")
    start = seen_inputs(engine.open("tiny"), engine, task="scene")[0]
    frames = start[:3].flatten(1)
    assert torch.equal(start[:3], start[3:]), "but the same in both halves"
    assert (torch.corrcoef(frames) - torch.eye(3)).abs().max() < 0.3


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_outside_the_mask_latents_end_as_the_encoded_source(
    engine_for: Callable[[str], Engine], picture: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    engine = engine_for(family)
    codec, ends = engine.open("tiny").codec, []
    decode = codec.decode
    monkeypatch.setattr(codec, "decode", lambda latents, passes: ends.append(latents) or decode(latents, passes))
    mask = np.zeros((64, 64), np.uint8)
    mask[16:32, 24:41] = 255
    layers(engine, task="repaint", source=picture, mask=mask)
    changed = (ends[0] != codec.encode(picture)).any(dim=1)[0]
    expected = torch.zeros(8, 8, dtype=torch.bool)
    expected[2:4, 3:6] = True
    assert torch.equal(changed, expected)
