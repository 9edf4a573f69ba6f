"""A request's own rules."""

from __future__ import annotations

import numpy as np
import pytest
from acetate.engine import Request


@pytest.mark.parametrize(
    ("style", "texts"), [("replace", ["a key", " ", "a bottle"]), ("add", ["a key, a bottle", "a bottle", "a bottle"])]
)
def test_prompts_of_single_layers_replace_the_main_one_or_come_before_it(style: str, texts: list[str]) -> None:
    """As in ComfyUI, and as in Forge; also where one of them is empty."""
    request = Request(prompt="a bottle", prompts={"foreground": "a key", "background": " "}, layer_prompts=style)  # type: ignore[arg-type]
    assert [request.prompt_of(role) for role in ("foreground", "background", "blended")] == texts  # type: ignore[arg-type]
    assert Request(prompts={"foreground": "a key"}, layer_prompts=style).prompt_of("foreground") == "a key"  # type: ignore[arg-type]


def test_two_requests_with_pictures_are_compared_by_identity() -> None:
    one, other = (Request(prompt="x", task="refine", source=np.zeros((2, 2, 4), np.uint8)) for _ in range(2))
    assert one == one and one != other and len({one, other, one}) == 2
