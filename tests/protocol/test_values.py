"""Values inside messages: what a place on the canvas and the pictures of a job may be."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from acetate.engine import Request
from acetate.protocol import ProtocolError
from acetate.protocol import messages as wire
from acetate.vocabulary.roles import GIVEN


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"width": 0}, "box.width is 0; it must be a number from 1 to 32768"),
        ({"height": 40000}, "box.height is 40000; it must be a number from 1 to 32768"),
        ({"x": -(10**7)}, "box.x is -10000000; it must be a number from -1e+06 to 1e+06"),
        ({"y": 1.5}, "box.y is 1.5; it must be an integer"),
    ],
)
def test_a_box_on_the_wire_has_pixels_and_lies_within_reach(wrong: dict[str, float], named: str) -> None:
    box = {"x": 0, "y": 0, "width": 8, "height": 8, **wrong}
    message = {"type": "submit", "job": "0123456789abcdef", "task": "scene", "parameters": {}, "box": box}
    with pytest.raises(ProtocolError, match=re.escape(named)):
        wire.from_client(json.dumps(message))


def test_the_conditions_are_what_a_request_may_bring() -> None:
    assert tuple(one.name for one in dataclasses.fields(wire.Conditions)) == GIVEN
    assert set(GIVEN) <= {one.name for one in dataclasses.fields(Request)}
