"""A task is one row: what the row says is what the engine does, and nothing else says it again."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from acetate.engine.description import families_of
from acetate.engine.families import recipes_for
from acetate.vocabulary.parameters import PARAMETERS
from acetate.vocabulary.roles import ROLES, Role
from acetate.vocabulary.tasks import DEFAULT, TASKS

ROOT = Path(__file__).parents[2]
ELSEWHERE = {
    "engine/families/sd15.py": "which weights draw a task",
    "engine/families/sdxl.py": "which weights draw a task",
    "engine/families/qwen21.py": "which runs draw a task",
    "engine/native_rgba/prefix.py": "what diffusers calls the first step's way with a prefix",
    "engine/upscaling/upscale.py": "`upscale` is a stage of progress, `refine` a mode of enlarging",
    "engine/upscaling/tiled_img2img.py": "that mode is drawn as the task of its name",
    "engine/requirements.py": "that mode's weights",
    "plugins/bridge/tasks.py": "labels of the modes of enlarging",
    "plugins/bridge/words.py": "stages of progress",
    "plugins/gimp/commands.py": "the procedures' names and texts, which scripts and menus rely on",
    "plugins/gimp/jobs.py": "a refinement from a script finds its own prompt",
    "protocol/from_server.py": "stages of progress",
    "server/schemas/json_schema.py": "what JSON Schema calls an `object`",
    "server/schemas/parameter_types.py": "what JSON Schema calls an `object`",
    "server/schemas/typescript.py": "what JSON Schema calls an `object`",
    "server/__main__.py": "`acetate upscale`, `edit`, `extract` and `decompose` are commands",
    "server/commands/decompose.py": "the command of that task",
    "server/commands/edit.py": "the command of that task",
    "server/commands/extract.py": "the command of that task",
    "server/commands/demo.py": "draws a scene",
    "server/command_line/into_document.py": "what `--below` and `--like` mean without `--task`",
}
"""Where a task's name is written beside its row, and why."""


def written(path: Path) -> set[str]:
    """The names of tasks in a file's code; `foreground` and `background` are roles as well, and docstrings may say anything."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in said}
    return {text for text in texts if isinstance(text, str)} & (set(TASKS) - set(ROLES))


@pytest.mark.parametrize("package", ["engine", "document", "protocol", "server", "plugins"])
def test_a_tasks_name_is_written_in_its_row_alone(package: str) -> None:
    paths = {str(path.relative_to(ROOT)): path for path in sorted((ROOT / package).rglob("*.py"))}
    found = {name for name, path in paths.items() if written(path)}
    assert found == {name for name in ELSEWHERE if name.startswith(f"{package}/")}


@pytest.mark.parametrize("task", TASKS)
def test_a_task_makes_the_layers_of_its_recipes(task: str) -> None:
    row = TASKS[task]
    if row.enlarges:
        return
    given: frozenset[Role] = frozenset(role for role in ROLES if role in row.conditions)
    for family in families_of(task):
        made = {role for recipe in recipes_for(family, task, given, "attention") for role in recipe.frames}
        assert tuple(role for role in ROLES if role in made) == row.makes, family


@pytest.mark.parametrize("task", TASKS)
def test_a_task_heeds_parameters_that_exist_and_each_once(task: str) -> None:
    heeded = TASKS[task].parameters
    assert set(heeded) <= set(PARAMETERS) and len(set(heeded)) == len(heeded)


def test_every_parameter_is_heeded_by_a_task() -> None:
    assert {name for task in TASKS.values() for name in task.parameters} == set(PARAMETERS)


PRODUCTS = {
    "foreground": "foreground",
    "scene": None,
    "object": "foreground",
    "background": "background",
    "blend": "blended",
    "extract-background": "background",
}


@pytest.mark.parametrize(("task", "product"), PRODUCTS.items())
def test_a_rough_picture_is_one_of_the_layer_that_is_asked_for(task: str, product: str | None) -> None:
    assert TASKS[task].product == product


def test_the_blended_picture_is_only_to_compare_with_unless_it_alone_was_asked_for() -> None:
    assert TASKS["scene"].hides("blended") and not TASKS["blend"].hides("blended")
    assert not TASKS["scene"].hides("background")


def test_only_one_layer_is_taken_by_itself() -> None:
    taken = {name: task.takes for name, task in TASKS.items() if task.takes}
    assert taken == {
        "object": "background",
        "background": "foreground",
        "refine": "source",
        "repaint": "source",
        "edit": "source",
        "extract": "source",
        "decompose": "source",
        "upscale": "source",
    }


def test_what_is_made_without_saying_so_needs_no_picture() -> None:
    assert TASKS[DEFAULT].conditions == ()
