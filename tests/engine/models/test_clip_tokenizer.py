"""CLIP's vocabulary from package data."""

from __future__ import annotations

import pytest
from acetate.engine.models.clip_tokenizer import clip_tokenizer


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("a photo of a cat", [320, 1125, 539, 320, 2368]),
        ("A  Photo\nof a CAT", [320, 1125, 539, 320, 2368]),
        ("hello world!", [3306, 1002, 256]),
        ("", []),
    ],
)
def test_known_texts_have_their_known_tokens(text: str, ids: list[int]) -> None:
    """The numbers are OpenAI's tokenizer's."""
    assert clip_tokenizer()(text).input_ids == [49406, *ids, 49407]


def test_the_vocabulary_is_complete() -> None:
    tokenizer = clip_tokenizer()
    assert len(tokenizer) == 49408
    assert sorted(tokenizer.get_vocab().values()) == list(range(49408))
    assert tokenizer.convert_ids_to_tokens([0, 255, 256, 49405]) == ["!", "Ń", "!</w>", "jekyll</w>"]


def test_the_two_paddings_of_sdxl() -> None:
    assert (clip_tokenizer().pad_token_id, clip_tokenizer("!").pad_token_id) == (49407, 0)
    assert clip_tokenizer("!")("cat", padding="max_length", max_length=5).input_ids == [49406, 2368, 49407, 0, 0]


def test_every_byte_can_be_written() -> None:
    text = "Übergröße 猫 😀 ﬁ\x07"
    tokenizer = clip_tokenizer()
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False).input_ids).replace(" ", "") == text.lower().replace(" ", "")
