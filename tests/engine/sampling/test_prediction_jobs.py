"""Whole jobs of models that predict velocity: the picture is that of the same model predicting noise.

A model that predicts noise becomes one of velocity by arithmetic on what its UNet answers, outside of the program: v is
(noise - s x) / a, where the sample x has the share a of signal and s of noise. How files are opened, schedules, LayerDiffuse's
patches and samplers are the program's own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import Engine, Picture, Request
from acetate.engine.checkpoints.prediction import Prediction, schedule
from acetate.engine.files.library import Library
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

KEYS = {
    "v": {"v_pred": torch.zeros(1)},
    "v with zero terminal SNR": {"v_pred": torch.zeros(1), "ztsnr": torch.zeros(1)},
    "edm": {"edm_vpred.sigma_max": torch.tensor(120.0), "edm_vpred.sigma_min": torch.tensor(2**-9)},
}
"""What each kind of checkpoint has besides the tensors of its networks."""


@pytest.fixture
def engine(family: str, engine_for: Callable[..., Engine], models: dict[str, Path], tmp_path: Path) -> Engine:
    """With the same networks in an ordinary checkpoint, `tiny`, and in one of every other kind."""
    engine_for(family)
    shutil.copytree(models[family], tmp_path / "own")
    folder = tmp_path / "own" / "checkpoints"
    for kind, keys in KEYS.items():
        save_file({**load_file(folder / "tiny.safetensors"), **keys}, folder / f"{kind}.safetensors")
    return Engine("cpu", Library(tmp_path / "own", tmp_path / "s", tmp_path / "c"), "eager")


def converted(model: Any, level: Callable[[float], float]) -> None:
    """Let the UNet of `model`, which predicts noise, predict velocity."""

    def to_velocity(unet: Any, given: tuple[Any, ...], named: dict[str, Any], answered: Any) -> Any:
        sample, told = given[0], given[1] if len(given) > 1 else named["timestep"]
        sigma = level(float(torch.as_tensor(told).flatten()[0]))
        signal, noise = 1 / (sigma**2 + 1) ** 0.5, sigma / (sigma**2 + 1) ** 0.5
        first: Tensor = answered[0]
        return ((first.double() - noise * sample[:, :4].double()) / signal).to(first), *answered[1:]

    model.unet.register_forward_hook(to_velocity, with_kwargs=True)


def level_of(config: Any) -> Callable[[float], float]:
    """The noise level that a model with this scheduler configuration is told."""
    if "sigma_data" in config:
        return lambda told: float(np.exp(4 * told))
    from acetate.engine.sampling.samplers import Sampler

    trained = Sampler("euler", config)._trained
    return lambda told: float(trained.at(np.asarray(told)))


def drawn(engine: Engine, **values: Any) -> Picture:
    request = Request(**{"prompt": "a bottle", "steps": 4, "alpha_passes": 1, "width": 64, "height": 64, **values})
    (picture,) = [event for event in engine.run(request) if isinstance(event, Picture)]
    return picture


@pytest.fixture
def noise_model(engine: Engine) -> Iterator[Any]:
    """`tiny`, whose configuration of the scheduler may be changed."""
    model = engine.open("tiny")
    before = model.scheduler_config
    yield model
    model.scheduler_config = before


@pytest.mark.parametrize(
    ("family", "kind", "scheduler"),
    [
        *((family, kind, "euler") for family in ("sd15", "sdxl") for kind in KEYS),
        *(("sd15", "v", scheduler) for scheduler in ("heun", "unipc")),
        ("sd15", "edm", "dpmpp-2m-sde"),
    ],
)
def test_a_job_of_a_velocity_model_draws_what_the_noise_model_draws(
    engine: Engine, noise_model: Any, picture: NDArray[np.uint8], family: str, kind: str, scheduler: str
) -> None:
    """At guidance 1, as at zero terminal SNR guidance of a velocity model is rescaled, on purpose."""
    values: dict[str, Any] = {"scheduler": scheduler, "guidance_scale": 1.0}
    change = {"task": "refine", "source": picture, "strength": 0.5, "width": None, "height": None}
    velocity = engine.open(kind)
    wanted = Prediction("edm") if kind == "edm" else Prediction("v", zero_snr="zero" in kind)
    config = schedule(noise_model.scheduler_config, wanted, (2**-9, 120.0))
    assert velocity.scheduler_config == config, "evidence in the file leads to the schedule"
    noise_model.scheduler_config = {**config, "prediction_type": "epsilon"}
    converted(velocity, level_of(config))
    for task in ({}, change):
        found, expected = (drawn(engine, model=model, **{**values, **task}) for model in (kind, "tiny"))
        assert np.abs(found.rgba.astype(int) - expected.rgba.astype(int)).max() <= 2
        assert expected.rgba[..., :3].std() > 1, "a picture, not a plain colour"
        assert any("predict noise" in said for said in found.warnings)
