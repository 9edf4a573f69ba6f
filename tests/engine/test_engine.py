"""The engine's own rules: what is looked at before anything is loaded, which way a task takes, and what is told of a failure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import BadRequest, Engine, ModelMissing, OutOfMemory, Picture, Progress, Request
from numpy.typing import NDArray


def pictures(engine: Engine, **values: Any) -> list[Picture]:
    request = Request(**{"prompt": "a red apple", "steps": 1, "alpha_passes": 1, **values})
    return [event for event in engine.run(request) if isinstance(event, Picture)]


@pytest.fixture
def layer() -> NDArray[np.uint8]:
    return np.full((16, 16, 4), 200, np.uint8)


def test_an_unknown_model_is_named(untrained: Engine) -> None:
    with pytest.raises(ModelMissing, match="'unicorn-xl'"):
        pictures(untrained, model="unicorn-xl")


def test_missing_weights_name_the_command_that_brings_them(untrained: Engine, layer: NDArray[np.uint8]) -> None:
    with pytest.raises(ModelMissing, match="foreground-to-background") as refused:
        pictures(untrained, task="background", foreground=layer)
    assert "SDXL" in refused.value.hint


def test_describe_is_plain_json(untrained: Engine) -> None:
    import json

    described = json.loads(json.dumps(untrained.describe()))
    assert described["models"][0]["name"] == "sketchpad"
    assert described["tasks"]["repaint"]["conditions"] == ["source", "mask"]
    assert described["tasks"]["blend"]["conditions"] == ["foreground"]


def test_an_engine_opens_each_model_beside_the_others(untrained: Engine) -> None:
    others: Any = untrained.open("sketchpad").memory.others
    assert others.bytes_on_device() == 0, "itself is not one of them"
    assert others.cache.besides("another") == [untrained.open("sketchpad")]


def test_loading_is_told_before_it_begins_and_only_once(untrained: Engine) -> None:
    events = untrained.run(Request(prompt="a red apple", steps=1))
    first = next(events)
    assert isinstance(first, Progress) and (first.stage, first.fraction) == ("load", 0.0)
    assert "sketchpad" not in untrained._models
    events.close()
    untrained.open("sketchpad")
    stages = [event.stage for event in untrained.run(Request(prompt="a red apple", steps=1)) if isinstance(event, Progress)]
    assert stages and "load" not in stages


def test_a_model_is_opened_once_and_after_unloading_again(untrained: Engine) -> None:
    def loaded() -> bool:
        return untrained.describe()["models"][0]["loaded"]

    model = untrained.open("sketchpad")
    assert untrained.open("sketchpad") is model and loaded() and untrained.opened() == ["sketchpad"]
    untrained.unload()
    assert not loaded()
    assert untrained.open("sketchpad") is not model


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"steps": 0}, BadRequest),
        ({"task": "paint"}, BadRequest),
        ({"prompt": None}, BadRequest),
        ({"prompt": "a <lora:ink:99> kite"}, BadRequest),
        ({"loras": (("ink", 0.5),)}, BadRequest),
        ({"prompt": "a <lora:ink:0.5> kite"}, BadRequest),
        ({"stop_at": 0.5}, BadRequest),
        ({"task": "blend", "background": np.zeros((8, 8, 4), np.uint8)}, BadRequest),
        ({"model": "unicorn-xl"}, ModelMissing),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_loaded(
    untrained: Engine, asked: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        next(untrained.run(Request(**{"prompt": "a kite", **asked})))
    assert not list(untrained._models)


@pytest.mark.parametrize(("task", "way"), [("foreground", "generate"), ("refine", "generate"), ("upscale", "upscale")])
def test_only_an_enlargement_goes_the_way_that_can_do_without_a_model(
    untrained: Engine, monkeypatch: pytest.MonkeyPatch, layer: NDArray[np.uint8], task: str, way: str
) -> None:
    taken: list[str] = []
    for name, module in (("generate", "engine"), ("upscale", "preflight")):
        monkeypatch.setattr(f"acetate.engine.{module}.{name}", lambda *_, name=name: taken.append(name) or iter(()))
    assert pictures(untrained, task=task, source=None if task == "foreground" else layer) == []
    assert taken == [way]
    assert ("sketchpad" in untrained._models) == (way == "generate"), "an enlargement opens it when it comes to that"


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("can't allocate memory: 9 GB")]
)
def test_memory_that_runs_out_is_told_as_such_with_its_cause(
    untrained: Engine, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failing(monkeypatch, error)
    with pytest.raises(OutOfMemory, match="cpu") as told:
        pictures(untrained)
    assert told.value.__cause__ is error and told.value.hint


@pytest.mark.parametrize("error", [RuntimeError("shapes do not fit"), ModelMissing("gone"), KeyError("x")])
def test_another_failure_goes_on_as_it_is(untrained: Engine, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    failing(monkeypatch, error)
    with pytest.raises(type(error)) as raised:
        pictures(untrained)
    assert raised.value is error


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def generate(*_: Any) -> Iterator[Any]:
        raise error
        yield

    monkeypatch.setattr("acetate.engine.engine.generate", generate)


def test_the_built_in_model_is_offered_first_and_missed_names_are_told_of_it(untrained: Engine) -> None:
    assert untrained.describe()["models"][0]["name"] == "sketchpad"
    with pytest.raises(ModelMissing) as missed:
        untrained.open("unicorn-xl")
    assert "sketchpad" in missed.value.hint


def test_a_lora_in_the_words_is_judged_as_one_that_is_asked_for(untrained: Engine) -> None:
    with pytest.raises(BadRequest, match="weight of LoRA 'ink' is 99"):
        next(untrained.run(Request(prompt="a <lora:ink:99> kite")))
