"""What an engine offers, as a client reads it."""

from __future__ import annotations

import contextlib
import json
import os

import pytest
from acetate.engine import BadRequest
from acetate.engine.description import Offer, describe, described_family, described_tasks, families_of
from acetate.engine.families import FAMILIES, Family
from acetate.engine.requirements import roles_of
from acetate.engine.values.request import Request
from acetate.raster import RGBA
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


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_family_tells_what_its_models_do_by_themselves(family: Family) -> None:
    told = json.loads(json.dumps(described_family(family)))
    own = family.defaults
    assert (told["title"], told["defaults"]["steps"], told["defaults"]["scheduler"]) == (family.title, own.steps, own.scheduler)
    assert told["defaults"]["clip_skip"] == (2 if family.name == "sdxl" else 1)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_told_to_change_nothing_is_what_would_be_refused(name: str) -> None:
    family = FAMILIES[name]
    chosen = {"injection": "convolution", "layer_weight": 0.5, "stop_at": 0.5}
    for task, idle in described_family(family)["idle"].items():
        given = {role: RGBA for role in TASKS[task].conditions}
        for option, value in chosen.items():
            upscaling = {"mode": "refine"} if TASKS[task].enlarges else {}
            request = Request(task=task, upscaling=upscaling, **{option: value}, **given)  # type: ignore[arg-type]
            with pytest.raises(BadRequest) if option in idle else contextlib.nullcontext():
                roles_of(request, family)


def test_families_of_a_task_are_those_that_can_do_it() -> None:
    assert [family.name for family in families_of("blend")] == ["sdxl"]
    assert families_of("foreground") == list(FAMILIES.values())
