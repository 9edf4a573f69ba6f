"""Requests as JSON and back."""

import json

import pytest
from acetate.engine import BadRequest, Request
from acetate.engine.values.parameters import from_json, to_json


def test_a_request_survives_json() -> None:
    request = Request(
        task="refine",
        prompt="glass bottle",
        seed=2**60,
        width=333,
        strength=0.4,
        loras=(("ink", 0.5),),
        prompts={"background": "sky"},
        layer_prompts="add",
    )
    again = from_json(json.loads(json.dumps(to_json(request))))
    assert to_json(again) == to_json(request)
    assert again.loras == (("ink", 0.5),)
    assert again.seed == 2**60


def test_defaults_are_left_out_but_never_prompt_model_and_seed() -> None:
    assert set(to_json(Request(prompt="x"))) == {"task", "prompt", "model", "seed"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"colour": "red"}, "'colour'"),
        ({"seed": "7"}, "seed is '7'"),
        ({"width": 1.5}, "width is 1.5"),
        ({"prompt": None}, "prompt is None"),
        ({"loras": 5}, "loras is 5"),
        ({"loras": [["ink"]]}, "pairs of a name and a weight"),
        ({"loras": [["ink", "much"]]}, "pairs of a name and a weight"),
    ],
)
def test_unknown_and_wrong_values_are_named(values: dict[str, object], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        from_json({"prompt": "x", **values})


def test_how_networks_were_run_is_told_beside_a_request_and_not_asked_for_again() -> None:
    request = Request(prompt="a red apple")
    assert to_json(from_json({**to_json(request), "acceleration": "compiled"})) == to_json(request)
