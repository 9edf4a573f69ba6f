"""A family is one file: what each states, and that nothing else names one."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from acetate.engine import BadRequest, Request, builtin
from acetate.engine.families import BASE_FAMILIES, FAMILIES, SKETCHPAD, recipes_for

ROOT = Path(__file__).parents[3]
MAY_NAME_ONE = {
    "engine/builtin/__init__.py",  # the built-in model is called like its family
    "engine/values/request.py",  # and is the default
}


def test_a_familys_name_is_written_in_no_other_source_file() -> None:
    """Neither in code nor in a comment; the catalogue's rows and the built-in model's own folder are data."""
    name = re.compile(rf"\b(?:{'|'.join(FAMILIES)})\b")
    sources = {path for folder in ("engine", "server") for path in (ROOT / folder).rglob("*.py")}
    naming = {str(path.relative_to(ROOT)) for path in sources if name.search(path.read_text(encoding="utf-8"))}
    assert naming - MAY_NAME_ONE == {f"engine/families/{family}.py" for family in FAMILIES} | {"engine/families/__init__.py"}


def test_families_and_what_lists_models_load_no_torch() -> None:
    script = (
        "import sys; from acetate.engine import description, families; from acetate.engine.files import library;"
        "assert not {'torch', 'diffusers', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_runs_see_what_was_given_or_drawn_before(family: Any) -> None:
    for task, runs in family.recipes.items():
        if task == "blend":
            continue
        known = set(runs[0].conditions)
        for run in runs:
            assert known.issuperset(run.conditions), task
            known |= set(run.frames)


@pytest.mark.parametrize("given", ["foreground", "background"])
def test_a_blend_is_the_run_that_sees_what_was_given(given: Any) -> None:
    (run,) = recipes_for(FAMILIES["sdxl"], "blend", frozenset({given}), "attention")
    assert (run.weights, run.conditions) == (f"{given}-to-blended", (given,))


def test_convolution_takes_the_place_of_attention_and_of_nothing_else() -> None:
    def scene(family: str, injection: Any) -> list[str | None]:
        return [run.weights for run in recipes_for(FAMILIES[family], "scene", frozenset(), injection)]

    attention, *others = scene("sdxl", "attention")
    assert attention == "transparent-attention"
    assert scene("sdxl", "convolution") == ["transparent-convolution", *others]
    for name in ("sd15", "sketchpad"):
        assert scene(name, "convolution") == scene(name, "attention")


def test_a_layer_is_changed_by_what_draws_one() -> None:
    for family in FAMILIES.values():
        for task in ("refine", "repaint"):
            assert recipes_for(family, task, frozenset({"foreground"}), "attention") == family.recipes["foreground"]  # type: ignore[arg-type]
            assert family.can(task)  # type: ignore[arg-type]
        assert family.can("upscale")


def test_a_task_without_weights_is_refused_with_the_families_that_have_them() -> None:
    assert not SKETCHPAD.can("blend")
    with pytest.raises(BadRequest, match="task 'blend' cannot be done by sketchpad models") as refused:
        recipes_for(SKETCHPAD, "blend", frozenset({"foreground"}), "attention")
    assert refused.value.hint == "choose a model of family sdxl"


@pytest.mark.parametrize("family", BASE_FAMILIES.values(), ids=BASE_FAMILIES)
def test_colours_of_a_preview_are_a_row_a_channel_and_a_constant(family: Any) -> None:
    assert [len(row) for row in family.latent_colours] == [3] * (4 + 1)


def test_the_built_in_model_is_what_its_family_says() -> None:
    facts = json.loads((builtin.FOLDER / "acetate.json").read_text(encoding="utf-8"))
    assert (facts["family"], facts["native"]) == (SKETCHPAD.name, SKETCHPAD.native)
    assert facts["defaults"] == dataclasses.asdict(SKETCHPAD.defaults)
    assert Request().model == builtin.NAME
