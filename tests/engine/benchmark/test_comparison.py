"""The benchmark's contestants do the same work, and its table holds what it says."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import torch
from acetate.engine import BadRequest
from acetate.engine.benchmark import comparison
from acetate.engine.benchmark.comparison import Options, compare
from acetate.engine.benchmark.ours import Ours
from acetate.engine.benchmark.plain import Plain
from acetate.engine.benchmark.reference import Reference
from acetate.engine.benchmark.subject import Subject
from acetate.engine.models.model import Model
from torch import Tensor

CPU = torch.device("cpu")
STAGES = ["text", "text, known prompt", "switch", "denoise", "vae", "transparent", "bytes", "whole"]


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
        "UNet step with guidance, then at guidance 1",
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
