"""Classifier-free guidance over a UNet whose predictions are known: its sign, its halves, what joins the UNet's input."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from acetate.engine import Request
from acetate.engine.device.accelerator import Accelerator
from acetate.engine.device.memory_budget import Memory
from acetate.engine.device.memory_plans import MemoryPlan
from acetate.engine.models.model import Text
from acetate.engine.sampling.guidance import GuidedUNet, pictures_at_once
from acetate.engine.values.recipes import Recipe
from torch import Tensor

PROMPTS = {"": 99.0, "never": -1.0, "apple": 4.0, "meadow": 7.0}
"""What the UNet predicts for each, everywhere."""
REQUEST = Request(prompt="apple", prompts={"background": "meadow"}, negative_prompt="never")
FOREGROUND = Recipe(("foreground",), None)
LAYERS = Recipe(("foreground", "background"), None)
SAMPLE = torch.arange(24.0).reshape(1, 2, 3, 4)


class UNet:
    """Predicts the number of each sample's prompt, and remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[tuple[Tensor, dict[str, Tensor]]] = []

    def __call__(self, sample: Tensor, timestep: Tensor, embeds: Tensor, added_cond_kwargs: Any, return_dict: bool) -> Any:
        self.seen.append((sample, added_cond_kwargs))
        return (embeds[:, :1, :1, None].expand(len(sample), 2, *sample.shape[2:]),)


class Hints(Accelerator):
    """Eager, and remembers what a faster one could have relied on."""

    def call(self, network: Any, function: Any, inputs: Any, **hints: Any) -> Tensor:
        self.given = hints
        return super().call(network, function, inputs, **hints)


class Switch:
    """Hands over to the base model at a step."""

    def __init__(self, step: int) -> None:
        self.step, self.stripped = step, 0

    def reached(self, index: int, loop: Any) -> bool:
        return index >= self.step

    def strip(self, loop: Any) -> None:
        self.stripped += 1


def model(*, together: bool = True, pooled: bool = False, **plan: Any) -> Any:
    def encode(prompts: list[str], clip_skip: int | None = None) -> Text:
        embeds = torch.tensor([PROMPTS[prompt] for prompt in prompts]).reshape(-1, 1, 1)
        return Text(embeds, embeds[:, 0] if pooled else None)

    memory = Memory()
    memory.plan = MemoryPlan(guidance_together=together, **plan)
    text = SimpleNamespace(encode=encode)
    cpu, single = torch.device("cpu"), torch.float32
    more = {"memory": memory, "accelerator": Hints(), "device": cpu, "dtype": single, "narrow": False, "scheduler_config": {}}
    return SimpleNamespace(unet=UNet(), text=text, **more)


def guided(
    on: Any, recipe: Recipe, scale: float, latents: Any = None, switch: Any = None, request: Request = REQUEST, loop: Any = None
) -> GuidedUNet:
    return GuidedUNet(on, recipe, request, scale, latents or {}, switch or Switch(99), loop)


@pytest.mark.parametrize("together", [True, False], ids=["one call", "two calls"])
def test_guidance_leads_from_the_negative_prompt_to_each_layers_own_and_beyond(together: bool) -> None:
    on = model(together=together)
    found = guided(on, LAYERS, 3.0).predict(SAMPLE.repeat(2, 1, 1, 1), torch.tensor(1.0), 0)
    apple, meadow = -1 + 3 * (4 - -1), -1 + 3 * (7 - -1)
    assert [layer.unique().tolist() for layer in found] == [[apple], [meadow]]
    assert [len(sample) for sample, _ in on.unet.seen] == ([4] if together else [2, 2])


def test_without_guidance_the_negative_prompt_costs_nothing() -> None:
    on = model()
    found = guided(on, LAYERS, 1.0).predict(SAMPLE.repeat(2, 1, 1, 1), torch.tensor(1.0), 0)
    assert found.unique().tolist() == [4, 7]
    assert [len(sample) for sample, _ in on.unet.seen] == [2]


def test_no_guidance_at_all_is_the_negative_prompt_alone() -> None:
    assert guided(model(), LAYERS, 0.0).predict(SAMPLE.repeat(2, 1, 1, 1), torch.tensor(1.0), 0).unique().tolist() == [-1]


@pytest.mark.parametrize("together", [True, False], ids=["one call", "three calls"])
def test_prompts_joined_by_and_lead_from_the_negative_one_by_their_weights(together: bool) -> None:
    on, request = model(together=together), replace(REQUEST, prompt="apple AND meadow :0.5")
    found = guided(on, FOREGROUND, 3.0, request=request).predict(SAMPLE, torch.tensor(1.0), 0)
    assert found.unique().tolist() == [-1 + 3 * (4 - -1) + 3 * 0.5 * (7 - -1)]
    assert [len(sample) for sample, _ in on.unet.seen] == ([3] if together else [1, 1, 1])
    assert pictures_at_once(request, FOREGROUND, 3.0) == 3
    assert pictures_at_once(request, LAYERS, 1.0) == 6, "weights that are not 1 together need the negative prompt"


def test_halves_of_two_prompts_without_guidance_need_no_negative_one() -> None:
    on, request = model(), replace(REQUEST, prompt="apple :0.5 AND meadow :0.5")
    assert guided(on, FOREGROUND, 1.0, request=request).predict(SAMPLE, torch.tensor(1.0), 0).unique().tolist() == [5.5]
    assert pictures_at_once(request, FOREGROUND, 1.0) == 2


def test_a_layer_with_fewer_prompts_than_another_is_led_by_its_own_alone() -> None:
    request = replace(REQUEST, prompt="apple AND meadow")
    found = guided(model(), LAYERS, 2.0, request=request).predict(SAMPLE.repeat(2, 1, 1, 1), torch.tensor(1.0), 0)
    apple_and_meadow, meadow = -1 + 2 * (4 - -1) + 2 * (7 - -1), -1 + 2 * (7 - -1)
    assert [layer.unique().tolist() for layer in found] == [[apple_and_meadow], [meadow]]


def test_words_change_from_step_to_step_and_every_step_of_two_evaluations_keeps_its_own() -> None:
    loop = SimpleNamespace(steps=4, step_of=lambda index: index // 2)
    on, request = model(), replace(REQUEST, prompt="[apple:[meadow|never]:0.5]")
    predict = guided(on, FOREGROUND, 1.0, request=request, loop=loop).predict
    found = [predict(SAMPLE, torch.tensor(1.0), index).unique().item() for index in range(7)]
    assert found == [4, 4, 4, 4, 7, 7, -1]


def test_conditions_join_both_halves_until_the_base_model_takes_over() -> None:
    on, switch = model(), Switch(2)
    recipe = Recipe(("foreground",), "weights", ("background", "blended"))
    latents = {"background": torch.full((1, 2, 3, 4), 5.0), "blended": torch.full((1, 2, 3, 4), 6.0)}
    predict = guided(on, recipe, 2.0, latents, switch).predict
    for step in range(4):
        predict(SAMPLE, torch.tensor(1.0), step)
    joined = torch.cat([SAMPLE, latents["background"], latents["blended"]], dim=1)
    assert torch.equal(on.unet.seen[1][0], joined.repeat(2, 1, 1, 1))
    assert [sample.shape[1] for sample, _ in on.unet.seen] == [6, 6, 2, 2]
    assert switch.stripped == 1


def test_sdxl_hears_height_before_width_and_of_no_crop() -> None:
    on = model(pooled=True)
    guided(on, FOREGROUND, 2.0).predict(SAMPLE, torch.tensor(1.0), 0)
    ((_, added),) = on.unet.seen
    assert added["time_ids"].tolist() == [[24, 32, 0, 0, 24, 32]] * 2, "a canvas of 32 x 24 pixels"
    assert added["text_embeds"].flatten().tolist() == [-1, 4], "of the same halves as the embeddings"


def test_what_may_be_recorded_is_said_with_every_call() -> None:
    """Units of attention sharing read a control that is not an input; hooks on layers change weights as they run."""
    sharing = Recipe(("foreground",), "weights", sharing=True)
    cases = [
        (FOREGROUND, {}, True),
        (sharing, {}, False),
        (FOREGROUND, {"fp8": True}, False),
        (FOREGROUND, {"offload": "layers"}, False),
    ]
    for recipe, plan, pure in cases:
        on = model(pooled=True, **plan)
        predict = guided(on, recipe, 2.0).predict
        predict(SAMPLE, torch.tensor(1.0), 0)
        assert on.accelerator.given == {"constant": 3, "pure": pure, "plentiful": False}


def test_the_prompts_are_the_very_same_tensors_in_every_step() -> None:
    """By which a faster way knows that what follows from them holds still."""
    on = model(pooled=True, together=False)
    predict = guided(on, FOREGROUND, 2.0).predict
    for step in range(2):
        predict(SAMPLE, torch.tensor(1.0), step)
    first, second, third, fourth = (added["text_embeds"] for _, added in on.unet.seen)
    assert first is third and second is fourth
