from __future__ import annotations

from typing import get_type_hints

import pytest
from acetate.vocabulary.parameters import PARAMETERS, Parameters, range_of, values_of
from acetate.vocabulary.verdict import complaint, of_parameters


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_default_is_right_and_every_row_says_what_it_is(name: str) -> None:
    row = PARAMETERS[name]
    assert row.default is None or row.type.complaint(name, row.default) is None
    assert row.help and row.type.right


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_that_may_be_absent_says_so_in_its_type(name: str) -> None:
    hints = get_type_hints(Parameters)
    assert (type(None) in getattr(hints[name], "__args__", ())) == (PARAMETERS[name].default is None)


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
