"""Choices by the seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from acetate.engine import BadRequest
from acetate.engine.prompt_language.dynamic_prompts import Wildcards, chosen, is_dynamic
from hypothesis import given
from hypothesis import strategies as st

NONE = Wildcards(Path("nowhere"))


@pytest.fixture
def lists(tmp_path: Path) -> Wildcards:
    (tmp_path / "animals").mkdir()
    (tmp_path / "colour.txt").write_text("\ufeff# remarks\nred\n\n  blue \n", encoding="utf-8")
    (tmp_path / "animals" / "small.txt").write_text("a {tiny|wee} mouse\n", encoding="utf-8")
    (tmp_path / "empty.txt").write_text("# nothing\n", encoding="utf-8")
    (tmp_path / "again.txt").write_text("more and __again__\n", encoding="utf-8")
    return Wildcards(tmp_path)


def test_a_seed_chooses_the_same_ever_after() -> None:
    """These words are written down: another version must not choose otherwise."""
    assert [chosen("{red|green|blue} {car|bus}", seed, NONE) for seed in (0, 1, 2**40)] == CHOSEN


CHOSEN = ["blue bus", "blue car", "green car"]


def test_every_option_is_chosen_about_as_often_as_its_weight_says() -> None:
    found = Counter(chosen("{3::red|blue}", seed, NONE) for seed in range(2000))
    assert 1400 < found["red"] < 1600 and found["red"] + found["blue"] == 2000


def test_several_are_different_ones() -> None:
    for seed in range(50):
        two = chosen("{2$$a|b|c}", seed, NONE).split(", ")
        assert len(set(two)) == 2 and set(two) <= set("abc")
        assert 1 <= len(chosen("{1-3$$ and $$a|b|c}", seed, NONE).split(" and ")) <= 3
    assert sorted(chosen("{3$$a|b|c}", 5, NONE).split(", ")) == ["a", "b", "c"]


def test_choices_within_choices_and_brackets_keep_their_own_bars() -> None:
    assert chosen("{x{a|a}|x{a|a}}", 1, NONE) == "xa"
    assert {chosen("{[a|b]|(c:1.2)}", seed, NONE) for seed in range(30)} == {"[a|b]", "(c:1.2)"}


def test_full_width_braces_choose_too() -> None:
    assert chosen("｛a｜a｝", 0, NONE) == "a"


def test_wildcards_are_lines_of_files(lists: Wildcards) -> None:
    assert {chosen("a __colour__ car", seed, lists) for seed in range(30)} == {"a red car", "a blue car"}
    assert {chosen("__animals/small__", seed, lists) for seed in range(30)} == {"a tiny mouse", "a wee mouse"}


@pytest.mark.parametrize(
    ("prompt", "reason", "hint"),
    [
        ("__color__", "no wildcard __color__", "colour"),
        ("__a/../../colour__", "no wildcard", ""),
        ("__empty__", "has no lines", "one choice a line"),
        ("__again__", "never end", "name itself"),
        ("{4$$a|b|c}", r"takes 4 of 3", ""),
        ("{0::a|0::b}", "every weight is 0", ""),
    ],
)
def test_what_cannot_be_chosen_is_said(lists: Wildcards, prompt: str, reason: str, hint: str) -> None:
    with pytest.raises(BadRequest, match=reason) as refused:
        chosen(prompt, 1, lists)
    assert hint in refused.value.hint


def test_braces_and_underscores_that_are_words_stay(lists: Wildcards) -> None:
    for prompt in (
        r"\{a|b\}",
        "snake_case __ x",
        "__/etc/hosts__",
        "_" * 999,
        "__" + "a" * 200 + "__",
        "a } b {",
        "score_9, score_8_up",
    ):
        assert not is_dynamic(prompt)
        assert chosen(prompt, 1, lists) == prompt


@given(st.text(alphabet="ab{}|$:12 \\"), st.integers(0, 2**63 - 1))
def test_any_text_is_chosen_or_refused_and_has_no_choice_afterwards(text: str, seed: int) -> None:
    try:
        found = chosen(text, seed, NONE)
    except BadRequest:
        return
    assert not is_dynamic(found)
    assert found == text or is_dynamic(text)
