"""What a request needs of a family, known before anything is opened."""

from typing import Any

import pytest
from acetate.engine import BadRequest, Request
from acetate.engine.families import FAMILIES
from acetate.engine.requirements import roles_of


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
def test_options_that_would_change_nothing_are_refused(family: str, asked: dict[str, Any], option: str) -> None:
    with pytest.raises(BadRequest, match=f"{option} would change nothing in task .* of {family} models"):
        roles_of(Request(**asked), FAMILIES[family])


def test_options_that_change_something_are_taken() -> None:
    roles = roles_of(Request(injection="convolution", layer_weight=0.5, stop_at=0.5), FAMILIES["sdxl"])
    assert roles == ("transparent-convolution", "transparent-decoder")
    assert roles_of(Request(task="scene", stop_at=0.5), FAMILIES["sd15"]) == ("joint", "transparent-decoder")
    assert roles_of(Request(task="scene", injection="convolution"), FAMILIES["sdxl"])[0] == "transparent-convolution"
