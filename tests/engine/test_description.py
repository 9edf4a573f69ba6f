"""What an engine offers, as a client reads it."""

from __future__ import annotations

import json
import os

import pytest
from acetate.engine.description import Offer, describe, described_tasks, families_of
from acetate.engine.families import FAMILIES
from acetate.engine.values.request import Request
from acetate.vocabulary.parameters import SCHEDULERS, SPACINGS
from acetate.vocabulary.tasks import TASKS
from acetate.vocabulary.working_sizes import NativeSizes


def test_an_offer_says_what_its_family_can_do_at_which_size() -> None:
    offers = [Offer(f"my-{name}", family, loaded=name == "sdxl") for name, family in FAMILIES.items()]
    described = json.loads(json.dumps(describe("cuda:1", offers)))
    assert (described["device"], described["pid"]) == ("cuda:1", os.getpid())
    assert [model["name"] for model in described["models"]] == [offer.name for offer in offers]
    assert (described["schedulers"], described["spacings"]) == (list(SCHEDULERS), list(SPACINGS)), "an editor's lists"
    for model in described["models"]:
        family = FAMILIES[model["family"]]
        assert model["width"] == model["height"] == family.native
        assert NativeSizes(**model["sizes"]) == family.sizes
        assert model["loaded"] is (family.name == "sdxl")
        assert set(model["tasks"]) == {task for task in TASKS if family.can(task)}


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_told_with_its_parameters_defaults_and_pictures(task: str) -> None:
    told = described_tasks()[task]
    assert told["parameters"] == {name: getattr(Request(), name) for name in TASKS[task].parameters}
    assert told["conditions"] == list(TASKS[task].conditions)


def test_families_of_a_task_are_those_that_can_do_it() -> None:
    assert [family.name for family in families_of("blend")] == ["sdxl"]
    assert families_of("foreground") == list(FAMILIES.values())
