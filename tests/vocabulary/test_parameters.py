from __future__ import annotations

from typing import Any, get_type_hints

import pytest
from acetate.vocabulary.parameters import PARAMETERS, Parameters, range_of, values_of
from acetate.vocabulary.value_types import LONGEST_NAME, Choice, Flag, FreeText, ListedName, Number, WeightedNames, Whole
from acetate.vocabulary.verdict import complaint, of_parameters

ONE_LORA = WeightedNames(Number(-1, 1), most=1)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_default_is_right_and_every_row_says_what_it_is(name: str) -> None:
    row = PARAMETERS[name]
    assert row.default is None or row.type.complaint(name, row.default) is None
    assert row.help and row.type.right


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_that_may_be_absent_says_so_in_its_type(name: str) -> None:
    hints = get_type_hints(Parameters)
    assert (type(None) in getattr(hints[name], "__args__", ())) == (PARAMETERS[name].default is None)


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


def test_a_long_value_is_named_in_short() -> None:
    wrong = of_parameters({"steps": "many" * 1000})
    assert wrong is not None and len(wrong.message) < 200


def test_parameters_that_are_left_out_have_their_defaults() -> None:
    assert values_of(Parameters()) == {name: row.default for name, row in PARAMETERS.items()}
    assert complaint("refine", {}, ("source",)) is None


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("layer_weight", -1, 3),
        ("steps", 1, 1000),
        ("count", 1, 64),
        ("width", 1, 8192),
        ("guidance_scale", 0, 100),
        ("scale", 1, 16),
    ],
)
def test_a_range_includes_its_ends(name: str, least: int, most: int) -> None:
    assert range_of(name) == (least, most)
    assert of_parameters({name: least}) is None and of_parameters({name: most}) is None
    assert of_parameters({name: least - 1}) is not None and of_parameters({name: most + 1}) is not None


def test_the_path_of_a_network_is_taken_within_a_process_alone() -> None:
    assert of_parameters({"upscaler": "/networks/4x.pth"}, paths=True) is None
    assert "not a path" in str(of_parameters({"upscaler": "/networks/4x.pth"}))
    assert "not a path" in str(of_parameters({"model": "/models/x.safetensors"}, paths=True))
