"""The engine that stands in for the real one in tests of the server: it keeps the contract, and a mix-up shows in its pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from acetate.engine import BadRequest, ModelMissing, NumericFailure, OutOfMemory, Picture, Progress, Request
from acetate.server.worker.fake_engine import FakeEngine
from acetate.vocabulary.tasks import TASKS


def run(**parameters: Any) -> list[Progress | Picture]:
    return list(FakeEngine().run(Request(**parameters)))


def pictures(**parameters: Any) -> list[Picture]:
    return [event for event in run(**parameters) if isinstance(event, Picture)]


def noise(seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (6, 8, 4)).astype(np.uint8)


def given(task: str) -> dict[str, Any]:
    return {role: noise()[..., 3] if role == "mask" else noise(1) for role in TASKS[task].conditions}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_makes_its_layers_of_every_candidate(task: str) -> None:
    made = pictures(task=task, prompt="a kite", seed=5, count=2, **given(task))
    roles = TASKS[task].makes

    assert [(one.role, one.index, one.seed) for one in made] == [(role, i, 5 + i) for i in (0, 1) for role in roles]
    assert [one.hidden for one in made] == [TASKS[task].hides(role) for role in roles] * 2
    assert {one.rgba.dtype for one in made} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("task", [name for name, row in TASKS.items() if row.conditions])
def test_a_picture_that_a_task_needs_is_missed_before_anything_is_drawn(task: str) -> None:
    with pytest.raises(BadRequest, match=TASKS[task].conditions[0]):
        next(iter(FakeEngine().run(Request(task=task, prompt="a kite"))))


def test_the_same_request_draws_the_same_and_any_other_is_told_apart() -> None:
    (one,), (again,) = pictures(prompt="a kite", seed=5), pictures(prompt="a kite", seed=5)
    assert np.array_equal(one.rgba, again.rgba)
    others = [
        *pictures(prompt="a kite", seed=6),
        *pictures(prompt="an apple", seed=5),
        *pictures(task="scene", prompt="a kite", seed=6),
    ]
    distinct = {one.rgba.tobytes(), *(other.rgba.tobytes() for other in others)}
    assert len(distinct) == 5, "a scene's foreground is the layer of its prompt and seed"


def test_a_candidate_is_the_picture_of_its_own_seed() -> None:
    _, second = pictures(prompt="a kite", seed=5, count=2)
    (alone,) = pictures(prompt="a kite", seed=6)
    assert np.array_equal(second.rgba, alone.rgba)


def test_progress_grows_from_stage_to_stage_up_to_the_whole() -> None:
    steps = [event for event in run(prompt="a kite", steps=3, count=2) if isinstance(event, Progress)]
    assert [(step.stage, step.step, step.steps) for step in steps] == [
        ("load", 1, 1),
        ("encode", 1, 1),
        ("denoise", 1, 3),
        ("denoise", 2, 3),
        ("denoise", 3, 3),
        ("decode", 1, 2),
        ("decode", 2, 2),
    ]
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(set(fractions)) and fractions[-1] == 1.0
    assert all(step.preview is not None and step.preview().shape == (8, 8, 4) for step in steps[2:5])


def test_outside_of_a_mask_a_layer_stays_to_the_bit_and_a_locked_one_keeps_its_alpha() -> None:
    source, mask = noise(), np.zeros((6, 8), np.uint8)
    mask[2:4, 3:5] = 255
    (painted,) = pictures(task="repaint", prompt="a kite", source=source, mask=mask)
    changed = (painted.rgba != source).any(axis=2)
    assert changed.any() and not changed[mask == 0].any()
    (locked,) = pictures(task="refine", prompt="a kite", source=source, lock_alpha=True)
    assert np.array_equal(locked.rgba[..., 3], source[..., 3]) and not np.array_equal(locked.rgba, source)


@pytest.mark.parametrize(("asked", "size"), [({"scale": 1.5}, (9, 12)), ({"width": 20, "height": 10}, (10, 20))])
def test_an_enlargement_has_the_size_that_was_asked_for(asked: dict[str, Any], size: tuple[int, int]) -> None:
    (large,) = pictures(task="upscale", source=noise(), **asked)
    assert large.rgba.shape[:2] == size


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("oom", OutOfMemory), ("bad", BadRequest), ("bug", ZeroDivisionError), ("nan", NumericFailure), ("disk", OSError)],
)
def test_a_fault_comes_at_the_stage_that_the_prompt_names(fault: str, kind: type[Exception]) -> None:
    seen = []
    with pytest.raises(kind):
        for event in FakeEngine().run(Request(prompt=f"a kite @{fault}:decode")):
            seen.append(event.stage if isinstance(event, Progress) else "picture")
    assert seen == ["load", "encode", *["denoise"] * 4]


def test_there_is_one_model_and_it_is_told_whether_it_is_loaded() -> None:
    engine = FakeEngine("cuda:1")
    (model,) = engine.describe()["models"]
    assert engine.describe()["device"] == "cuda:1" and not model["loaded"]
    with pytest.raises(ModelMissing, match="painter"):
        engine.open("painter")
    engine.open(model["name"])
    assert engine.describe()["models"][0]["loaded"]
    engine.unload()
    assert not engine.describe()["models"][0]["loaded"]
