"""What a prompt's brackets mean."""

from __future__ import annotations

import math
import re

import pytest
from acetate.engine.prompt_language.emphasis import between_breaks, fragments
from acetate.engine.values.errors import BadRequest
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", []),
        ("a red apple", [("a red apple", 1.0)]),
        ("a (red) apple", [("a ", 1.0), ("red", 1.1), (" apple", 1.0)]),
        ("((red))", [("red", 1.21)]),
        ("(red:1.3) apple", [("red", 1.3), (" apple", 1.0)]),
        ("(red: .5 )", [("red", 0.5)]),
        ("(red:-1)", [("red", -1.0)]),
        ("[red] apple", [("red", 1 / 1.1), (" apple", 1.0)]),
        ("(a (b:2) c:1.5)", [("a ", 1.5), ("b", 3.0), (" c", 1.5)]),
        ("([both])", [("both", 1.0)]),
        (r"\(sic\) \[x\] \\", [(r"(sic) [x] " + "\\", 1.0)]),
        (r"a\b", [(r"a\b", 1.0)]),
        ("smile :) and ( open", [("smile :) and ( open", 1.0)]),
        ("a) b] c", [("a) b] c", 1.0)]),
        ("(a] b)", [("a] b", 1.1)]),
        ("[a:b:0.5]", [("[a:b:0.5]", 1.0)]),
        ("(time 12:30)", [("time 12", 30.0)]),
        ("(ratio 4:x)", [("ratio 4:x", 1.1)]),
        ("one\n(two)", [("one\n", 1.0), ("two", 1.1)]),
    ],
)
def test_fragments(prompt: str, expected: list[tuple[str, float]]) -> None:
    found = fragments(prompt)
    assert [text for text, _ in found] == [text for text, _ in expected]
    assert [weight for _, weight in found] == pytest.approx([weight for _, weight in expected])


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("（red：1.3） apple", [("red", 1.3), (" apple", 1.0)]),
        ("［red］", [("red", 1 / 1.1)]),
        ("（red)", [("red", 1.1)]),
        ("（ open ］", [("（ open ］", 1.0)]),
        (r"\（sic\）", [("（sic）", 1.0)]),
    ],
)
def test_full_width_brackets_are_brackets(prompt: str, expected: list[tuple[str, float]]) -> None:
    assert fragments(prompt) == [(text, pytest.approx(weight)) for text, weight in expected]


@pytest.mark.parametrize("prompt", ["(apple:1001)", "(apple:-2000)", "(" * 100 + "apple" + ")" * 100, f"(apple:1{'0' * 400})"])
def test_an_absurd_weight_is_refused_by_the_words_that_have_it(prompt: str) -> None:
    with pytest.raises(BadRequest, match="the prompt gives 'apple' the weight .*; at most 1000 is taken"):
        fragments(prompt)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", [[]]),
        ("a BREAK b", [[("a", 1.0)], [("b", 1.0)]]),
        ("a\nBREAK\nBREAK b", [[("a", 1.0)], [], [("b", 1.0)]]),
        ("a BREAK", [[("a", 1.0)]]),
        ("BREAK a", [[], [("a", 1.0)]]),
        ("(a BREAK b:1.3) c", [[("a", 1.3)], [("b", 1.3), (" c", 1.0)]]),
        ("a break, BREAKFAST", [[("a break, BREAKFAST", 1.0)]]),
    ],
)
def test_break_ends_a_section_also_within_brackets(prompt: str, expected: list[list[tuple[str, float]]]) -> None:
    assert between_breaks(prompt) == expected


@given(st.text(alphabet="ab ()[]:1.\\（］"))
def test_any_text_is_read_and_text_without_pairs_comes_back(text: str) -> None:
    try:
        found = fragments(text)
    except BadRequest as error:
        assert "the weight" in str(error)
        return
    assert all(piece and math.isfinite(weight) for piece, weight in found)
    if not set(text) & set(")]）］\\"):
        assert found == ([(text, 1.0)] if text else [])


@given(st.text(min_size=1))
def test_escaped_text_round_trips(text: str) -> None:
    escaped = re.sub(r"([\\()\[\]（）［］])", r"\\\1", text)
    assert fragments(escaped) == [(text, 1.0)]


@given(st.integers(1, 20))
def test_nested_brackets_multiply(depth: int) -> None:
    assert fragments("(" * depth + "x" + ")" * depth) == [("x", pytest.approx(1.1**depth))]
