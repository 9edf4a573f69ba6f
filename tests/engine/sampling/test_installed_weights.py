"""Which weights a model carries after a job: those of its recipe at their strength, and its own again in the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from acetate.engine import Engine, Request
from torch import Tensor


@pytest.fixture
def engine(engine_for: Callable[..., Engine]) -> Engine:
    return engine_for("sdxl")


def carried(engine: Engine, **values: Any) -> dict[str, Tensor]:
    """The UNet's weights after a job."""
    for _ in engine.run(Request(**{"prompt": "a bottle", "model": "tiny", "steps": 1, "alpha_passes": 1, **values})):
        pass
    return {key: tensor.clone() for key, tensor in engine.open("tiny").unet.state_dict().items()}


def changed(one: dict[str, Tensor], other: dict[str, Tensor]) -> set[str]:
    return {key for key in one if not torch.equal(one[key], other[key])}


def test_the_strength_of_a_job_is_that_of_its_weights(engine: Engine) -> None:
    """From one job to the next, whichever was before."""
    own = {key: tensor.clone() for key, tensor in engine.open("tiny").unet.state_dict().items()}
    full, half, full_again = (carried(engine, layer_weight=weight) for weight in (1.0, 0.5, 1.0))
    touched = changed(full, own)

    assert touched and not changed(full, full_again)
    assert changed(half, own) == touched
    for key in touched:
        torch.testing.assert_close(half[key] - own[key], (full[key] - own[key]) / 2, atol=1e-5, rtol=1e-4)


def test_below_stop_at_the_models_own_weights_are_left_and_the_next_job_has_the_layers(engine: Engine) -> None:
    own = {key: tensor.clone() for key, tensor in engine.open("tiny").unet.state_dict().items()}
    full = carried(engine, steps=2)

    assert not changed(carried(engine, steps=2, stop_at=0.0), own)
    assert not changed(carried(engine, steps=2), full)
