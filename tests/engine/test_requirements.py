"""What a request needs of a family, known before anything is opened."""

from typing import Any

import pytest
from acetate.engine import BadRequest, Request
from acetate.engine.requirements import roles_of
from acetate.engine.values.recipes import Family


@pytest.mark.parametrize(
    ("family", "asked", "option"),
    [
        ("sd15", {"injection": "convolution"}, "injection 'convolution'"),
        ("sdxl", {"injection": "convolution", "task": "background"}, "injection 'convolution'"),
        ("sd15", {"layer_weight": 0.5}, "layer_weight 0.5"),
        ("sketchpad", {"layer_weight": 0.5}, "layer_weight 0.5"),
        ("sketchpad", {"stop_at": 0.5}, "stop_at 0.5"),
    ],
)
def test_options_that_would_change_nothing_are_refused(family: Family, asked: dict[str, Any], option: str) -> None:
    with pytest.raises(BadRequest, match=f"{option} would change nothing in task .* of {family} models"):
        roles_of(Request(**asked), family)


def test_options_that_change_something_are_taken() -> None:
    roles = roles_of(Request(injection="convolution", layer_weight=0.5, stop_at=0.5), "sdxl")
    assert roles == ("transparent-convolution", "transparent-decoder")
    assert roles_of(Request(task="scene", stop_at=0.5), "sd15") == ("joint", "transparent-decoder")
    assert roles_of(Request(task="scene", injection="convolution"), "sdxl")[0] == "transparent-convolution"
