"""Prompts that change on the way, and prompts of several."""

from __future__ import annotations

import pytest
from acetate.engine.prompt_language.schedules import Composed, at_step, is_scheduled, split_composed, worthless_words
from acetate.engine.values.errors import BadRequest
from hypothesis import given
from hypothesis import strategies as st


def words(prompt: str, steps: int = 4) -> list[str]:
    return [at_step(prompt, step, steps) for step in range(steps)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("[cat:dog:0.5]", ["cat", "cat", "dog", "dog"]),
        ("a [cat:dog:1] b", ["a cat b", "a dog b", "a dog b", "a dog b"]),
        ("[cat::0.5]", ["cat", "cat", "", ""]),
        ("[cat::3]", ["cat", "cat", "cat", ""]),
        ("[dog:0.25]", ["", "dog", "dog", "dog"]),
        ("[:dog:2]", ["", "", "dog", "dog"]),
        ("[dog:0]", ["dog"] * 4),
        ("[cat:dog:1.0]", ["cat"] * 4),
        ("[cat|dog]", ["cat", "dog", "cat", "dog"]),
        ("[cat|dog|]", ["cat", "dog", "", "cat"]),
        ("[a:[b|c]:0.5]", ["a", "a", "b", "c"]),
        ("[(red:1.3)|((blue))] x", ["(red:1.3) x", "((blue)) x"] * 2),
        ("[a:(b:1.2):0.5]", ["a", "a", "(b:1.2)", "(b:1.2)"]),
        ("[[a]:b:0.5]", ["[a]", "[a]", "b", "b"]),
        ("［猫：犬：0.5］", ["猫", "猫", "犬", "犬"]),
        ("[embedding:bad:0.5]", ["", "", "embedding:bad", "embedding:bad"]),
    ],
)
def test_words_by_step(prompt: str, expected: list[str]) -> None:
    assert words(prompt) == expected
    assert is_scheduled(prompt)


@pytest.mark.parametrize(
    "prompt", ["", "a cat", "[cat]", "[a, (b:1.2)]", "[a:b]", "a [b:0.5", "a|b", r"\[a:b:0.5\]", r"[a\|b]", "x] [y", "16:9"]
)
def test_everything_else_stays_as_it_was_written(prompt: str) -> None:
    assert words(prompt) == [prompt] * 4
    assert not is_scheduled(prompt)


@given(st.text(alphabet="ab[]()|:.5\\（］"), st.integers(1, 9))
def test_any_text_has_words_in_every_step(text: str, steps: int) -> None:
    found = words(text, steps)
    assert is_scheduled(text) or set(found) == {text}


@given(st.text(alphabet="ab ()."), st.text(alphabet="ab ()."), st.integers(1, 9))
def test_a_schedule_of_any_words_says_the_one_and_then_the_other(before: str, after: str, steps: int) -> None:
    if "(" in before + after or ")" in before + after:
        before, after = before.strip("()").replace("(", "").replace(")", ""), after.replace("(", "").replace(")", "")
    switch = steps // 2
    assert words(f"[{before}:{after}:{switch}]", steps) == [before] * switch + [after] * (steps - switch)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a cat", [Composed("a cat")]),
        ("a cat :1.2", [Composed("a cat :1.2")]),
        ("a cat AND a dog", [Composed("a cat"), Composed("a dog")]),
        ("a :1.2 AND (b:1.1):-0.5 AND c", [Composed("a", 1.2), Composed("(b:1.1)", -0.5), Composed("c")]),
        ("a AND", [Composed("a")]),
        ("AND", [Composed("")]),
        ("a LAND of SAND and b", [Composed("a LAND of SAND and b")]),
        ("(a AND b)", [Composed("(a AND b)")]),
    ],
)
def test_prompts_joined_by_and(prompt: str, expected: list[Composed]) -> None:
    assert split_composed(prompt) == expected


@pytest.mark.parametrize("prompt", ["[" * 5000 + "a" + "]" * 5000, "[" * 10_000, "(" * 5000 + "[a|b]" + ")" * 5000])
def test_brackets_beyond_any_sense_are_text_and_said(prompt: str) -> None:
    assert words(prompt) == [prompt] * 4
    assert "nested more than 50 deep" in worthless_words(prompt)[0]


def test_no_more_prompts_are_joined_than_can_be_drawn() -> None:
    assert len(split_composed(" AND ".join("abcdefgh"))) == 8
    with pytest.raises(BadRequest, match="AND joins 9 prompts; at most 8"):
        split_composed(" AND ".join("abcdefghi"))


def test_what_only_looks_like_the_language_is_said() -> None:
    assert worthless_words("(a AND b)") == ["AND within brackets was read as a word"]
    assert worthless_words("a AND b", negative=True) == ["AND in the negative prompt was read as a word"]
    assert worthless_words("[a:b:c:0.5]") == ["'[a:b:c:0.5]' was read as words: it has 4 parts, and [from:to:0.5] has three"]
    assert worthless_words("a AND b, [c:d:0.5], [e|f], [g]") == []
