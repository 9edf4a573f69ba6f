"""What a model predicts is told by keys, then metadata, then the YAML beside it; never by its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from acetate.engine.checkpoints.prediction import Prediction, doubt_of, of_checkpoint, of_scheduler
from acetate.engine.files.headers import Header
from acetate.engine.files.recognition import recognise
from acetate.engine.values.errors import ModelBroken

NOTHING: Mapping[str, Any] = {}


def told(keys: tuple[str, ...] = (), beside: Mapping[str, Any] = NOTHING, **metadata: str) -> Prediction:
    header = Header({key: {"dtype": "F16", "shape": [1]} for key in keys}, metadata, 0)
    return of_checkpoint(header, beside)


def yaml(**params: object) -> dict[str, Any]:
    return {"model": {"target": "ldm.models.diffusion.ddpm.LatentDiffusion", "params": params}}


def scaling(name: str, denoiser: str = "DiscreteDenoiser") -> dict[str, Any]:
    module = "sgm.modules.diffusionmodules"
    inner = {"target": f"{module}.denoiser_scaling.{name}"}
    return yaml(denoiser_config={"target": f"{module}.denoiser.{denoiser}", "params": {"scaling_config": inner}})


@pytest.mark.parametrize("spelling", ["v", "V", " v ", "v_prediction", "V-Prediction", "vpred", "v-pred", "velocity"])
def test_metadata_say_velocity_in_every_spelling(spelling: str) -> None:
    assert told(**{"modelspec.prediction_type": spelling}) == Prediction("v")


@pytest.mark.parametrize("spelling", ["epsilon", "EPSILON", "eps", " eps "])
def test_metadata_say_noise_in_every_spelling_whatever_the_yaml_says(spelling: str) -> None:
    assert told(beside=yaml(parameterization="v"), **{"modelspec.prediction_type": spelling}) == Prediction()


def test_what_metadata_say_and_nobody_knows_is_a_doubt_and_no_evidence() -> None:
    found = told(**{"modelspec.prediction_type": "flow"})
    assert (found.predicts, found.unusual) == ("epsilon", "")
    said = doubt_of("painter", found)
    assert said.startswith("its metadata say that it predicts 'flow', which means nothing here; ")
    assert said.endswith("acetate models set painter --prediction v")
    assert told(beside=yaml(parameterization="v"), **{"modelspec.prediction_type": "flow"}) == Prediction("v")
    assert "the YAML beside it says that it predicts 'x0'" in doubt_of("painter", told(beside=yaml(parameterization="x0")))


@pytest.mark.parametrize("yes", ["True", "true", "1"])
def test_trainers_notes_count(yes: str) -> None:
    assert told(ss_v_parameterization=yes) == Prediction("v")
    assert told(ss_v_parameterization=yes, ss_zero_terminal_snr=yes) == Prediction("v", zero_snr=True)
    assert told(ss_v_parameterization="False", ss_zero_terminal_snr=yes) == Prediction()


def test_keys_count_more_than_metadata() -> None:
    noise = {"modelspec.prediction_type": "epsilon"}
    assert told(("v_pred",), **noise) == Prediction("v")
    assert told(("v_pred", "ztsnr"), **noise) == Prediction("v", zero_snr=True)
    assert told(("edm_vpred.sigma_min",), **noise) == Prediction("edm")
    assert told(("edm_mean", "v_pred")).unusual
    assert told(("ztsnr",)) == Prediction(), "levels alone say nothing of what is predicted"


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        (yaml(parameterization="v"), Prediction("v")),
        (yaml(parameterization="eps"), Prediction()),
        (yaml(parameterization="v", zero_snr=True), Prediction("v", zero_snr=True)),
        (yaml(parameterization="v", use_zsnr=True), Prediction("v", zero_snr=True)),
        (yaml(parameterization="v", zero_snr=False), Prediction("v")),
        (scaling("VScaling"), Prediction("v")),
        (scaling("EpsScaling"), Prediction()),
        (scaling("VScalingWithEDMcNoise", "Denoiser"), Prediction("edm")),
        (scaling("VScaling", "ZeroSNRDenoiser"), Prediction("v", zero_snr=True)),
        ({"model": None}, Prediction()),
        (yaml(parameterization=None), Prediction()),
        (NOTHING, Prediction()),
    ],
)
def test_a_yaml_beside_says_it_in_each_of_its_layouts(beside: Mapping[str, Any], expected: Prediction) -> None:
    assert told(beside=beside) == expected


@pytest.mark.parametrize(
    ("name", "doubtful"),
    [
        ("noobaiXLNAIXL_vPred10Version", True),
        ("anything-v-pred", True),
        ("ReV_Predator_v2", False),
        ("NAI-V-Pred-merge-to-eps", False),
        ("merge_no-vpred", False),
        ("painter_v2", False),
    ],
)
def test_a_name_is_worth_a_doubt_at_most(name: str, doubtful: bool) -> None:
    assert bool(doubt_of(name, Prediction())) == doubtful
    assert not doubt_of(name, Prediction("v"))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, Prediction()),
        ({"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}, Prediction("v", zero_snr=True)),
        ({"prediction_type": "v_prediction", "sigma_data": 1.0}, Prediction("edm")),
    ],
)
def test_a_folder_says_it_in_its_schedulers_configuration(config: Mapping[str, Any], expected: Prediction) -> None:
    assert of_scheduler(config) == expected


@pytest.mark.parametrize("content", [b"model: [1, 2\nb: }", b"# caf\xe9\nmodel: {params: {parameterization: v}}", b"\0"])
def test_a_yaml_that_cannot_be_read_costs_only_what_it_would_have_said(tiny_sdxl: Any, tmp_path: Path, content: bytes) -> None:
    path = tiny_sdxl.write_file(tmp_path / "painter.safetensors")
    path.with_suffix(".yaml").write_bytes(content)
    kind = recognise(path)
    assert (kind.what, kind.problem, kind.predicts) == ("an SDXL checkpoint", "", "epsilon")
    assert "what it predicts was not read from the file beside it: " in kind.caution
    assert "painter.yaml is not valid YAML" in kind.caution
    assert kind.told("v", None).predicts == "v" and "painter.yaml" not in kind.told("v", None).caution


def test_a_damaged_checkpoint_stays_refused_whatever_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "painter.safetensors"
    path.write_bytes(b"\xff" * 20)
    path.with_suffix(".yaml").write_bytes(b"model: [")
    with pytest.raises(ModelBroken, match=r"painter\.safetensors"):
        recognise(path)
