"""The benchmark's contestants do the same work, and its table holds what it says."""

from __future__ import annotations

import copy
import dataclasses
import json
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import BadRequest
from acetate.engine.benchmark import comparison, synthetic
from acetate.engine.benchmark.comparison import Options, compare
from acetate.engine.benchmark.ours import Ours
from acetate.engine.benchmark.plain import Plain
from acetate.engine.benchmark.reference import Reference
from acetate.engine.benchmark.subject import Subject
from acetate.engine.benchmark.timing import Contestant, alternate
from acetate.engine.layerdiffuse.transparency import TransparentDecoder, TransparentEncoder
from acetate.engine.models.model import Model
from acetate.engine.models.runtime import Runtime
from acetate.engine.pixels.working_canvas import WorkingSizes
from torch import Tensor

CPU = torch.device("cpu")
STAGES = ["text", "text, known prompt", "switch", "denoise", "vae", "transparent", "bytes", "whole"]


@pytest.fixture(scope="module")
def model(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A synthetic model of narrow networks, of each family in turn."""
    configs = tiny.write_configs(tmp_path_factory.mktemp("configs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "TransparentDecoder", partial(TransparentDecoder, 4, (8, 8, 8, 16), 1))
        patch.setattr(synthetic, "TransparentEncoder", partial(TransparentEncoder, 4, (4, 4, 4, 8)))
        made = synthetic.synthetic_model(tiny.family, Runtime(CPU), configs)
    made.sizes = WorkingSizes(64, 64)
    return made


@pytest.fixture
def subject(model: Model) -> Subject:
    return Subject(model, 64, 64, steps=3, guidance_scale=5.0, passes=8)


def test_all_contestants_denoise_to_the_same_latents(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours, the reference's loop with two calls a step, and diffusers' pipeline."""
    found: list[Any] = []
    reference = Reference(subject).denoise()
    ours, plain = Ours(subject), Plain(subject)
    monkeypatch.setattr("acetate.engine.benchmark.ours.DenoisingLoop", _remembering(found))
    ours.denoise()
    pipe = plain._pipe
    monkeypatch.setattr(plain, "_pipe", lambda **asked: found.append(pipe(**asked).images))
    plain.denoise()

    latents: Tensor = found[0].latents
    assert (latents - reference).abs().max() < 2e-2 * reference.std(), "its timesteps are not rounded"
    assert (found[1] - latents).abs().max() < 2e-2 * reference.std(), "its first sample has a spread of 1, not 0.998"


def test_after_the_references_turn_the_model_knows_that_its_networks_are_in_host_memory(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own hooks have brought text encoders meanwhile, which would not come again."""
    reference, left = Reference(subject), []
    monkeypatch.setattr(subject.model.memory.placement, "leave", lambda: left.append(subject.model.unet.device.type))
    reference.finish()
    assert left == ["cpu"]


def test_floors_are_counted_before_a_plan_hooks_the_networks(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(comparison, "_floors", lambda subject: done.append("floors") or {})
    prepare = model.memory.prepare
    monkeypatch.setattr(model.memory, "prepare", lambda *size, **more: (done.append("plan"), prepare(*size, **more)))
    comparison.compare(lambda: model, comparison.Options(steps=1, repeats=1, alone=True, stages=("bytes",), from_disk=False))
    assert done[:2] == ["floors", "plan"]


def _remembering(found: list[Any]) -> Any:
    from acetate.engine.sampling.denoising_loop import DenoisingLoop

    def make(*arguments: Any) -> DenoisingLoop:
        found.append(DenoisingLoop(*arguments))
        return found[-1]

    return make


@pytest.mark.parametrize("tiny", ["sd15"], indirect=True)
def test_our_transparent_decode_is_the_references(subject: Subject) -> None:
    """Selection network against stack and median, one pass after another and several at once.

    In float64: in float32 a batch may be convolved in another order, which alone gives differences of 1e-5.
    """
    decoder = copy.deepcopy(subject.codec.decoder).double()
    pixels, unscaled = subject.pixels.double(), (subject.latents / subject.codec.scaling_factor).double()
    estimates = []
    for mirrored, turns in ((m, t) for m in (False, True) for t in range(4)):
        picture, latents = (part.flip(3) if mirrored else part for part in (pixels, unscaled))
        turned = decoder(torch.rot90(picture, turns, (2, 3)), torch.rot90(latents, turns, (2, 3))).clip(0, 1)
        turned = torch.rot90(turned, -turns, (2, 3))
        estimates.append(turned.flip(3) if mirrored else turned)
    wanted = torch.median(torch.stack(estimates), dim=0).values
    for batch in (1, 4, 8):
        assert (decoder.estimate(pixels, unscaled, 8, batch) - wanted).abs().max() <= 1e-9


@pytest.mark.parametrize("tiny", ["sd15"], indirect=True)
def test_the_reference_truncates_where_we_round(subject: Subject) -> None:
    levels = torch.tensor([0.0, 0.1, 0.5, 0.999, 1.0])
    from acetate.engine.benchmark.reference import _to_host
    from acetate.engine.models.codec import to_picture

    picture = levels.reshape(1, 1, 1, 5).expand(1, 4, 1, 5)
    assert to_picture(picture)[0, :, 0].tolist() == [0, 26, 128, 255, 255]
    assert _to_host(picture)[0, :, 0].tolist() == [0, 25, 127, 254, 255]


@pytest.mark.parametrize("tiny", ["sd15"], indirect=True)
def test_the_comparison_holds_every_stage_and_ratio(model: Model) -> None:
    found = compare(lambda: model, Options(size=64, steps=2, repeats=1, from_disk=False, variants=True))
    rows = {row.stage: row for row in found.rows}

    assert list(rows) == STAGES
    assert set(rows["denoise"].ratios) == {"diffusers", "reference"}
    assert set(rows["transparent"].ratios) == {"reference"}
    for row in found.rows:
        assert all(value > 0 for value in [*row.seconds.values(), *row.cpu_seconds.values(), *row.ratios.values()])
    for stage in ("denoise", "vae", "transparent", "whole"):
        floor, fused = rows[stage].floor, rows[stage].fused_floor
        assert floor is not None and fused is not None and 0 < fused <= floor
    assert set(found.memory) == {"acetate", "reference"}
    assert found.load is None and found.cold is not None and found.cold > 0
    assert found.cancel is not None and 0 < found.cancel < found.cold
    assert {
        "UNet step, then as the engine replays it",
        "UNet step as it is replayed, then its kernels alone",
        "UNet: torch's layout, then channels_last",
    } <= {variant.name for variant in found.variants}
    assert json.loads(json.dumps(dataclasses.asdict(found)))["rows"][0]["stage"] == "text"
    assert not any("to_qkv" in name or "to_kv" in name for name, _ in model.unet.named_modules()), "joined weights are gone"


@pytest.mark.parametrize("tiny", ["sd15"], indirect=True)
def test_single_stages_can_be_asked_for(model: Model) -> None:
    found = compare(lambda: model, Options(size=64, steps=2, repeats=1, from_disk=False, stages=("transparent",)))
    assert [row.stage for row in found.rows] == ["transparent"]
    assert found.cold is None and found.cancel is None and not found.memory


@pytest.mark.parametrize("tiny", ["sd15"], indirect=True)
def test_a_size_that_the_model_does_not_work_at_is_named_with_the_next_one(model: Model) -> None:
    with pytest.raises(BadRequest, match="does not work at 40 x 40") as refused:
        compare(lambda: model, Options(size=40))
    assert refused.value.hint == "the size for it is 64 x 64"


def test_contestants_take_turns_and_the_first_round_does_not_count() -> None:
    said: list[str] = []
    contestants = [
        Contestant(name, {"stage": partial(said.append, name)}, partial(said.append, "+"), partial(said.append, "-"))
        for name in "ab"
    ]
    times = alternate(contestants, 2, CPU)
    assert "".join(said) == "+a-+b-" * 3
    assert [len(times[name]["stage"].wall) for name in "ab"] == [2, 2]


@pytest.mark.parametrize("tiny", ["sd15"], indirect=True)
def test_synthetic_weights_keep_activations_alive(subject: Subject) -> None:
    """Neither dead nor exploding: kernels on zeros or infinities may take another time."""
    with torch.no_grad():
        spread = float(subject.pixels.std())
    assert 1e-3 < spread < 1
    assert np.isfinite(spread)
