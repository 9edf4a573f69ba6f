"""Which words of a prompt are embeddings."""

from __future__ import annotations

import pytest
from acetate.engine.prompt_language.embedding_mentions import PromptPart, missing_embeddings, split_mentions
from acetate.engine.prompt_language.emphasis import fragments
from hypothesis import given
from hypothesis import strategies as st

INSTALLED = frozenset({"EasyNegative", "bad-hands-5", "bad", "style.v2"})


def named(prompt: str) -> list[str]:
    return [part.embedding for part in split_mentions(fragments(prompt), INSTALLED) if part.embedding]


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("embedding:EasyNegative, x", ["EasyNegative"]),
        ("EasyNegative", ["EasyNegative"]),
        ("easynegative, BAD-hands-5", ["EasyNegative", "bad-hands-5"]),
        ("(embedding:easynegative:1.2)", ["EasyNegative"]),
        ("embedding:EasyNegative.safetensors", ["EasyNegative"]),
        ("embedding:sub/EasyNegative.pt", ["EasyNegative"]),
        ("embedding:style.v2", ["style.v2"]),
        ("EasyNegativeV2 xEasyNegative", []),
        ("a badger", []),
        ("a bad cat", ["bad"]),
        ("embedding:unknown", []),
    ],
)
def test_mentions(prompt: str, names: list[str]) -> None:
    assert named(prompt) == names


def test_words_around_an_embedding_stay_and_weights_are_kept() -> None:
    parts = split_mentions(fragments("a (bad-hands-5, b:1.2)"), INSTALLED)
    assert parts == [
        PromptPart("a ", 1.0),
        PromptPart("bad-hands-5", 1.2, "bad-hands-5"),
        PromptPart(", b", 1.2),
    ]


def test_an_embedding_that_is_not_installed_is_told_and_is_not_words() -> None:
    assert missing_embeddings("x embedding:nope, embedding:bad, embedding:nope", INSTALLED) == ["nope"]
    assert split_mentions([("x embedding:nope y", 1.0)], INSTALLED) == [PromptPart("x ", 1.0), PromptPart(" y", 1.0)]


@given(st.text(alphabet="abd embing: ,."))
def test_without_mentions_all_words_come_back(text: str) -> None:
    parts = split_mentions([(text, 1.0)] if text else [], ())
    if "embedding:" not in text:
        assert "".join(part.text for part in parts) == text
