"""Layers that the built-in model draws together, judged: a quarter of the judge's cases, all of them with `-m full`."""

from __future__ import annotations

import pytest
from acetate.engine import builtin

from training.fitting import sharing
from training.judging import judge, judge_scenes


@pytest.mark.parametrize("role", sharing.FILES)
def test_the_weights_of_every_role_are_in_the_package(role: str) -> None:
    assert (builtin.FOLDER / "layers" / f"{role}.safetensors").is_file()


@pytest.fixture(scope="module", params=[4, pytest.param(1, marks=pytest.mark.full)], ids=["sample", "all"])
def tally(request: pytest.FixtureRequest) -> judge.Tally:
    """A scene, a background or an object for every `param`th subject, in turn."""
    return judge_scenes.judge(judge_scenes.run(request.param))


@pytest.mark.parametrize("measure", judge_scenes.GATES)
def test_the_gate_is_reached(tally: judge.Tally, measure: str) -> None:
    failures = "\n".join(line for line in tally.failures if line.startswith(measure))
    assert tally.share(measure) >= judge_scenes.GATES[measure], f"{judge.table(tally, judge_scenes.GATES)}\n{failures}"
