"""What each type of value takes, and what it says of the rest."""

from __future__ import annotations

from typing import Any

import pytest
from acetate.vocabulary.value_types import (
    LONGEST_NAME,
    Choice,
    Flag,
    FreeText,
    ListedName,
    NamedValues,
    Number,
    TextOfEach,
    ValueType,
    WeightedNames,
    Whole,
    shown,
)

ONE_LORA = WeightedNames(Number(-1, 1), most=1)


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (Whole(1, 3), (1, 3), (0, 4, 2.0, True, "2", None, float("nan"))),
        (Number(-1, 3), (-1, 0.5, 3), (-1.001, 3.001, float("nan"), float("inf"), 10**400, True, "1")),
        (Choice((1, 2)), (1, 2), (3, 1.0, True, "1")),
        (Choice((True, False)), (True, False), (1, 0, "true")),
        (Flag(), (True, False), (1, 0, None)),
        (FreeText(3), ("", "🪁🪁🪁"), ("four", 5, None, "\ud800")),
        (ListedName(), ("soft", "portraits/soft", "n" * LONGEST_NAME), ("", "/etc/passwd", "a/../b", "C:x", "\ud800", 5)),
        (ListedName(), (), ("n" * (LONGEST_NAME + 1), ".hidden", "a\\b", "a\nb", "a/b/c/d/e")),
        (ONE_LORA, ((), (("ink", 1),), [["ink", -0.5]]), ("ink", 5, (("ink",),), (("ink", 2),), (("a", 1), ("b", 1)))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_kind_takes_what_is_right_and_says_what_would_be(kind: Any, right: tuple[Any, ...], wrong: tuple[Any, ...]) -> None:
    assert [value for value in right if kind.complaint("it", value) is not None] == []
    assert [value for value in wrong if kind.complaint("it", value) is None] == []


PROMPTS = TextOfEach(("sky", "sea"), FreeText(3))
OPTIONS = NamedValues({"mode": Choice(("a", "b")), "padding": Whole(0, 9)})


@pytest.mark.parametrize(
    ("kind", "value", "named"),
    [
        (PROMPTS, {"moon": "x"}, "'moon'"),
        (PROMPTS, {"sky": "x", "sea": 5}, "prompt of sea is 5"),
        (PROMPTS, ["sky"], "it is ['sky']"),
        (OPTIONS, {"denoise": 1}, "'denoise'"),
        (OPTIONS, {"mode": "a", "padding": 10}, "it: padding is 10"),
        (OPTIONS, None, "it is None"),
        (ONE_LORA, (("../ink", 1),), "'../ink'"),
        (ONE_LORA, (("ink", 7),), "'ink'"),
    ],
)
def test_of_several_values_the_wrong_one_is_named(kind: ValueType, value: Any, named: str) -> None:
    wrong = kind.complaint("it", value)
    assert wrong is not None and named in wrong.message


@pytest.mark.parametrize(
    ("kind", "value"), [(PROMPTS, {"sky": "x"}), (PROMPTS, {}), (OPTIONS, {"mode": "b", "padding": 9}), (OPTIONS, {})]
)
def test_what_is_left_out_of_several_values_is_not_wrong(kind: ValueType, value: Any) -> None:
    assert kind.complaint("it", value) is None


@pytest.mark.parametrize(
    ("kind", "value", "large"),
    [
        (FreeText(3), "four", True),
        (FreeText(3), 5, False),
        (PROMPTS, {"sky": "four"}, True),
        (ONE_LORA, (("a", 1), ("b", 1)), True),
        (ONE_LORA, (("a", 2),), False),
        (Whole(0, 9), 10, False),
    ],
)
def test_only_what_is_too_long_or_too_many_counts_as_too_large(kind: ValueType, value: Any, large: bool) -> None:
    wrong = kind.complaint("it", value)
    assert wrong is not None and wrong.too_large is large


@pytest.mark.parametrize("kind", [Whole(1, 3), Number(1, 3), Choice((1, 3)), PROMPTS, OPTIONS, ONE_LORA])
def test_a_complaint_says_what_would_be_right(kind: ValueType) -> None:
    wrong = kind.complaint("it", object())
    assert wrong is not None and kind.right in wrong.message


def test_a_value_is_shown_in_pythons_notation_and_never_at_length() -> None:
    assert shown("x") == "'x'" and shown(1.5) == "1.5"
    assert len(shown("x" * 78)) == 80 == len(shown("x" * 79)), "the longest that is shown whole, and the first that is cut"
    assert shown("x" * 78).endswith("'") and shown("x" * 79).endswith("...")
