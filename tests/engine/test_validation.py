"""Requests that cannot be run are refused with the value and what would be right."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from acetate.engine import BadRequest, Request
from acetate.engine.validation import check
from acetate.vocabulary.tasks import TASKS

PICTURE = np.zeros((16, 16, 4), np.uint8)
GOOD = Request(prompt="a red apple")


def test_a_plain_request_is_fine() -> None:
    check(GOOD)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": ""}, "prompt is empty"),
        ({"prompt": "  \n"}, "prompt is empty"),
        ({"prompt": "x" * 20_000}, "20000 characters"),
        ({"task": "paint"}, "'paint'"),
        ({"injection": "magic"}, "injection is 'magic'; it must be one of attention, convolution"),
        ({"resize_mode": "squeeze"}, "resize_mode is 'squeeze'; it must be one of crop, stretch, fill"),
        ({"layer_prompts": "mix"}, "layer_prompts is 'mix'; it must be one of replace, add"),
        ({"prompts": {"sky": "blue"}}, "unknown layer 'sky'"),
        ({"prompts": {"background": 5}}, "prompt of background is 5; it must be text"),
        ({"width": 0}, "width is 0"),
        ({"height": 10**9}, "height is 1000000000"),
        ({"width": -5}, "width is -5"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": 2.5}, "steps is 2.5"),
        ({"guidance_scale": float("nan")}, "guidance_scale is nan"),
        ({"guidance_scale": float("inf")}, "guidance_scale is inf"),
        ({"guidance_scale": -1}, "guidance_scale is -1"),
        ({"strength": 1.5}, "strength is 1.5"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**70}, "seed is"),
        ({"count": 0}, "count is 0"),
        ({"count": True}, "count is True"),
        ({"alpha_passes": 3}, "alpha_passes is 3"),
        ({"loras": (("ink", float("nan")),)}, "LoRA 'ink'"),
        ({"task": "refine"}, "works on a layer"),
        ({"task": "repaint", "source": PICTURE}, "needs a mask"),
        ({"task": "repaint", "source": PICTURE, "mask": np.zeros((16, 16), np.uint8)}, "mask is empty"),
        ({"task": "repaint", "source": PICTURE, "mask": np.ones((8, 16), np.uint8)}, r"\(8, 16\)"),
        ({"task": "refine", "source": PICTURE[..., :3]}, r"shape \(16, 16, 3\)"),
        ({"source": PICTURE}, "'foreground' begins from nothing"),
        ({"strength": 0.5}, "does not use strength"),
        ({"task": "scene", "strength": 0.5}, "strength is 0.5, and there is no source"),
        ({"task": "scene", "strength": 0.0}, "strength is 0.0, and there is no source"),
        ({"task": "background"}, "needs a foreground"),
        ({"task": "object"}, "needs a background"),
        ({"task": "blend"}, "a foreground or a background"),
        ({"task": "blend", "foreground": PICTURE, "background": PICTURE}, "both were given"),
    ],
)
def test_wrong_values_are_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        check(replace(GOOD, **changes))


@pytest.mark.parametrize("task", ["scene", "object", "background", "blend", "extract-background", "extract-foreground"])
def test_tasks_of_several_layers_take_a_rough_picture(task: Any) -> None:
    pictures = {"blend": ("background",)}.get(task, TASKS[task].needs)
    check(replace(GOOD, task=task, source=PICTURE, strength=0.5, **dict.fromkeys(pictures, PICTURE)))


def test_a_task_that_starts_from_a_picture_needs_no_prompt() -> None:
    check(replace(GOOD, prompt="", task="refine", source=PICTURE))
    check(replace(GOOD, prompt="", task="repaint", source=PICTURE, mask=np.ones((16, 16), np.uint8)))
