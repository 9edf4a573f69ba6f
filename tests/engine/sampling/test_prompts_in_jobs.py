"""Prompts of several, and prompts that change, in jobs of several layers: with attention sharing and in chains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from acetate.engine import Engine, Picture, Request
from numpy.typing import NDArray


@pytest.fixture(params=["sd15", "sdxl"])
def engine(request: pytest.FixtureRequest, shared_for: Callable[[str], Engine]) -> Engine:
    """SD 1.5 draws all layers in one run by sharing attention, with the given picture as control; SDXL one after another."""
    return shared_for(request.param)


def layers(engine: Engine, picture: NDArray[np.uint8], **values: Any) -> list[NDArray[np.uint8]]:
    asked = {"model": "tiny", "task": "object", "background": picture, "steps": 2, "alpha_passes": 1, **values}
    return [event.rgba for event in engine.run(Request(**asked)) if isinstance(event, Picture)]


def equal(one: list[NDArray[np.uint8]], other: list[NDArray[np.uint8]]) -> bool:
    return all(map(np.array_equal, one, other))


def same(one: list[NDArray[np.uint8]], other: list[NDArray[np.uint8]]) -> bool:
    return all(int(np.abs(a.astype(int) - b).max()) <= 1 for a, b in zip(one, other, strict=True))


def test_a_prompt_that_weighs_nothing_changes_no_layer_and_one_that_does_changes_them(
    engine: Engine, picture: NDArray[np.uint8]
) -> None:
    plain = layers(engine, picture, prompt="a bottle")
    assert same(plain, layers(engine, picture, prompt="a bottle AND a red car :0"))
    assert same(plain, layers(engine, picture, prompt="a bottle :0.5 AND a bottle :0.5"))
    assert not same(plain, layers(engine, picture, prompt="a bottle AND a red car"))


def test_the_prompt_of_one_layer_may_be_of_several(engine: Engine, picture: NDArray[np.uint8]) -> None:
    plain = layers(engine, picture, prompt="a bottle")
    assert same(plain, layers(engine, picture, prompt="a bottle", prompts={"foreground": "a bottle AND a car :0"}))


def test_a_scheduled_prompt_is_the_first_until_it_changes(engine: Engine, picture: NDArray[np.uint8]) -> None:
    asked = {"steps": 4, "spacing": "sgm-uniform"}
    plain = layers(engine, picture, prompt="a bottle", negative_prompt="blue", **asked)
    assert same(plain, layers(engine, picture, prompt="a [bottle:car:4]", negative_prompt="[blue|blue]", **asked))
    assert not equal(plain, layers(engine, picture, prompt="a [bottle:car:1]", negative_prompt="blue", **asked))


def test_a_step_of_two_evaluations_keeps_its_words(engine: Engine, picture: NDArray[np.uint8]) -> None:
    asked = {"scheduler": "heun", "spacing": "sgm-uniform", "steps": 2}
    plain = layers(engine, picture, prompt="a bottle", **asked)
    assert same(plain, layers(engine, picture, prompt="a [bottle:car:2]", **asked))
    assert not equal(plain, layers(engine, picture, prompt="a [bottle:car:1]", **asked))
