"""Distilled models are known by what they are, then by what they say, and only then by what they are called."""

from __future__ import annotations

from typing import Any

import pytest
from acetate.engine.checkpoints.distillation import of_file, of_folder
from acetate.engine.checkpoints.prediction import Prediction
from acetate.engine.families.few_steps import few_steps_of
from acetate.engine.files.headers import Header

GUIDANCE = "model.diffusion_model.time_embed.cond_proj.weight"


def kind_of(name: str, keys: tuple[str, ...] = (), **metadata: str) -> str:
    header = Header({key: {"dtype": "F16", "shape": [1]} for key in keys}, metadata, 0)
    way = few_steps_of(of_file(header, name))
    return way.kind if way else ""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("dmd2_sdxl_4step_lora_fp16", "DMD2"),
        ("mymix_dmd2_v3_4step", "DMD2"),
        ("hyperrealism_v3", ""),
        ("hyperrealistic", ""),
        ("non_distilled_hyper-sd", ""),
        ("painter", ""),
    ],
)
def test_a_name_is_a_hint(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_a_renamed_file_is_known_by_its_title() -> None:
    assert kind_of("painter", **{"modelspec.title": "DreamShaper XL Lightning"}) == "Lightning"
    assert kind_of("painter", **{"ss_output_name": "lcm-lora"}) == "LCM"
    assert kind_of("painter", **{"modelspec.title": "Hyperrealism"}) == ""


def test_a_layer_for_guidance_is_a_consistency_models_whatever_its_name() -> None:
    assert kind_of("lightning_4step", (GUIDANCE,)) == "LCM"
    assert kind_of("painter", ("time_embedding.cond_proj.weight",)) == "LCM"


@pytest.mark.parametrize(
    ("scheduler", "unet", "kind"),
    [
        ({"_class_name": "LCMScheduler"}, {}, "LCM"),
        ({"_class_name": "TCDScheduler"}, {}, "TCD"),
        ({"_class_name": "EulerDiscreteScheduler"}, {"time_cond_proj_dim": 256}, "LCM"),
        ({"_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing"}, {}, "Turbo"),
        ({"_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "leading"}, {}, ""),
        ({"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing"}, {}, ""),
        ({}, {}, ""),
    ],
)
def test_a_folder_is_known_by_its_schedule(scheduler: dict[str, Any], unet: dict[str, Any], kind: str) -> None:
    way = few_steps_of(of_folder(scheduler, unet, Prediction(), "painter"))
    assert (way.kind if way else "") == kind


def test_trailing_steps_of_a_velocity_model_are_no_sign() -> None:
    scheduler = {"_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing"}
    assert of_folder(scheduler, {}, Prediction("v", zero_snr=True), "painter") == ""
    assert of_folder({}, {}, Prediction(), "sdxl-turbo") == "sdxl-turbo"
