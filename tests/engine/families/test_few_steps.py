"""Names of distilled models and LoRAs, and what `fast` makes of a request."""

from __future__ import annotations

import pytest
from acetate.engine import Request
from acetate.engine.families import SDXL, SKETCHPAD
from acetate.engine.families.few_steps import cautions, few_steps_of, settled_fast


@pytest.mark.parametrize(
    ("name", "kind", "steps", "scheduler"),
    [
        ("sdxl_lightning_8step_lora", "Lightning", 8, "euler"),
        ("sdxl_lightning_4step_unet", "Lightning", 4, "euler"),
        ("DreamShaperXL_Lightning", "Lightning", 4, "euler"),
        ("Hyper-SDXL-8steps-lora", "Hyper-SD", 8, "ddim"),
        ("Hyper-SD15-4steps-lora", "Hyper-SD", 4, "ddim"),
        ("dmd2_sdxl_4step_lora", "DMD2", 4, "lcm"),
        ("dmd2", "DMD2", 4, "lcm"),
        ("lcm-lora-sdv1-5", "LCM", 6, "lcm"),
        ("TCD-SDXL-LoRA", "TCD", 4, "tcd"),
        ("sd_xl_turbo_1.0_fp16", "Turbo", 4, "euler-a"),
        ("juggernautXL_turbo", "Turbo", 4, "euler-a"),
        ("dreamshaperXL_v21TurboDPMSDE", "Turbo", 4, "euler-a"),
        ("realvisxlV40_v40LightningBakedvae", "Lightning", 4, "euler"),
        ("SDXLTurbo", "Turbo", 4, "euler-a"),
        ("flash-sdxl", "Flash Diffusion", 4, "lcm"),
        ("pcm_sdxl_smallcfg_2step", "PCM", 2, "lcm"),
        ("juggernaut_4step", "an unknown method", 4, "euler"),
    ],
)
def test_distilled_names_say_how_they_are_sampled(name: str, kind: str, steps: int, scheduler: str) -> None:
    found = few_steps_of(name)
    assert found is not None and (found.kind, found.steps, found.scheduler) == (kind, steps, scheduler)


@pytest.mark.parametrize(
    ("name", "spacing"), [("dmd2", "sgm-uniform"), ("flash-sdxl", "sgm-uniform"), ("lcm", None), ("tcd", None)]
)
def test_lcms_own_way_is_for_those_that_were_trained_at_its_timesteps(name: str, spacing: str | None) -> None:
    """DMD2 and Flash Diffusion are sampled at 999, 749, 499, 249, as their authors say, and not at LCM's 999, 759, 499, 259."""
    found = few_steps_of(name)
    assert found is not None and found.spacing == spacing


@pytest.mark.parametrize(
    "name",
    [
        "hyperrealistic_photo",
        "HyperRealistic",
        "hyperrealism_v3",
        "non-distilled Hyper SDXL",
        "Hyper-SDXL-8steps-CFG-lora",
        "turbotax",
        "ink",
        "alcmene",
        "character_2000steps",
        "two_step_24steps",
    ],
)
def test_other_names_do_not(name: str) -> None:
    assert few_steps_of(name) is None


def test_fast_takes_an_installed_lora_with_its_own_way_where_nothing_was_chosen() -> None:
    found = settled_fast(Request(prompt="a", model="soft", fast=True), SDXL, ["ink", "sdxl_lightning_8step_lora"])
    assert found is not None
    assert (found.steps, found.guidance_scale, found.scheduler, found.spacing) == (8, 1.0, "euler", "sgm-uniform")
    assert found.loras == (("sdxl_lightning_8step_lora", 1.0),) and not found.fast
    chosen = Request(prompt="a", model="soft", fast=True, steps=5, guidance_scale=2.0, scheduler="lcm", loras=(("ink", 0.5),))
    kept = settled_fast(chosen, SDXL, ["dmd2"])
    assert kept is not None
    assert (kept.steps, kept.guidance_scale, kept.scheduler, kept.spacing) == (5, 2.0, "lcm", None)
    assert kept.loras == (("ink", 0.5), ("dmd2", 1.0))


def test_a_distilled_model_or_lora_that_is_there_already_needs_no_other() -> None:
    for asked in (Request(model="soft_lightning_4step"), Request(model="soft", loras=(("sdxl_lightning_4step", 0.8),))):
        found = settled_fast(asked, SDXL, ["dmd2"])
        assert found is not None and found.loras == asked.loras and found.steps == 4


def test_without_any_there_is_nothing_to_take_and_the_built_in_model_makes_fewer_steps() -> None:
    assert settled_fast(Request(model="soft"), SDXL, ["ink"]) is None
    found = settled_fast(Request(fast=True), SKETCHPAD, [])
    assert found is not None and (found.steps, found.guidance_scale, found.loras) == (10, None, ())


def test_a_distilled_lora_at_ordinary_settings_says_what_to_do() -> None:
    (said,) = cautions(Request(model="soft", loras=(("sdxl_lightning_4step_lora", 1.0),)), SDXL.defaults)
    assert "4 steps at guidance 1" in said and "20 steps at guidance 6" in said and "spacing sgm-uniform" in said
    right = Request(model="soft", loras=(("sdxl_lightning_4step_lora", 1.0),), steps=4, guidance_scale=1.0)
    assert not list(cautions(right, SDXL.defaults)) and not list(cautions(Request(model="soft"), SDXL.defaults))


def test_what_is_known_of_a_model_counts_more_than_its_name() -> None:
    known = {"lightning_fish": "", "soft": "distilled", "ink": "LCM"}.__getitem__
    assert not list(cautions(Request(model="lightning_fish"), SDXL.defaults, known))
    (said,) = cautions(Request(model="soft"), SDXL.defaults, known)
    assert "soft is made for 8 steps at guidance 1 with scheduler euler, spacing sgm-uniform" in said
    found = settled_fast(Request(model="lightning_fish", fast=True), SDXL, ["ink"], known)
    assert found is not None and (found.loras, found.scheduler) == ((("ink", 1.0),), "lcm")
