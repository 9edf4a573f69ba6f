"""Prompts as Qwen-Image-2.1 was trained to read them: the very states that diffusers' pipeline takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine.native_rgba.qwen_text import QwenText
from PIL import Image
from transformers import Qwen3VLForConditionalGeneration

from .tiny_qwen import TinyQwen


@pytest.fixture
def text(tiny: TinyQwen) -> QwenText:
    encoder = Qwen3VLForConditionalGeneration.from_pretrained(tiny.folder / "text_encoder").eval()
    return QwenText(tiny.tokenizer, tiny.image_processor, encoder.model)


def pictures(count: int) -> list[Any]:
    return list(np.random.default_rng(count).integers(0, 256, (count, 256, 288, 4), dtype=np.uint8))


@pytest.mark.parametrize("prompt", ["a red apple", "", "红苹果 🍎 (very) big"])
@torch.no_grad()
def test_states_are_those_of_diffusers_pipeline(tiny: TinyQwen, text: QwenText, prompt: str) -> None:
    own, _, slots = tiny.pipeline.encode_prompt(prompt)
    found = text.encode([prompt])
    assert torch.equal(found.embeds, own)
    assert found.slots is not None
    assert torch.equal(found.slots, slots)


@pytest.mark.parametrize("count", [1, 2, 3])
@torch.no_grad()
def test_pictures_are_seen_over_white_as_diffusers_pipeline_sees_them(tiny: TinyQwen, text: QwenText, count: int) -> None:
    given = pictures(count)
    own, _, slots = tiny.pipeline.encode_prompt("make it red", image=[Image.fromarray(one) for one in given])
    found = text.encode(["make it red"], pictures=given)
    assert (found.embeds - own).abs().max() < 2e-6
    assert found.slots is not None
    assert torch.equal(found.slots, slots)
    assert int(found.slots.sum()) == count * 8 * 9, "a slot stands for a square of 32 pixels"


def test_the_order_of_pictures_counts(text: QwenText) -> None:
    one, other = pictures(2)
    there, back = (text.encode(["x"], pictures=given).embeds for given in ([one, other], [other, one]))
    assert not torch.equal(there, back)


def test_the_states_are_not_normalised(tiny: TinyQwen, text: QwenText) -> None:
    normalised = Qwen3VLForConditionalGeneration.from_pretrained(tiny.folder / "text_encoder").eval()
    ids = torch.tensor([tiny.tokenizer("<|im_start|>user\nx")["input_ids"]])
    with torch.no_grad():
        states = normalised.model(input_ids=ids).last_hidden_state
        raw = text.text_encoders[0](input_ids=ids).last_hidden_state
    assert (raw - states).abs().max() > 1e-2


def test_a_prompt_that_is_known_is_not_encoded_again(text: QwenText) -> None:
    assert text.encode(["a fox"]).embeds is text.encode(["a fox"]).embeds
