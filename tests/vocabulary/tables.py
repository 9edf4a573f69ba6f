"""The tables of docs/models.md from the vocabulary's rows. `python -m tests.vocabulary.tables` writes them into the page."""

from __future__ import annotations

from acetate.vocabulary.parameters import PARAMETERS
from acetate.vocabulary.tasks import TASKS, Task
from acetate.vocabulary.upscaling import HELP, OPTIONS
from acetate.vocabulary.value_types import FreeText, NamedValues, TextOfEach, ValueType

from ..page_tables import MODELS as PAGE
from ..page_tables import filled as between_marks
from ..page_tables import table as _table


def tasks() -> str:
    """One line a task."""
    rows = ((f"`{name}`", task.meaning, ", ".join(task.makes), _pictures(task)) for name, task in TASKS.items())
    return _table(("task", "what it makes", "layers", "needs"), rows)


def parameters() -> str:
    """One line a parameter."""
    rows = (
        (f"`{row.name}`", row.help, _right(row.type), _default(row.default), _heeding(name)) for name, row in PARAMETERS.items()
    )
    return _table(("parameter", "meaning", "what is right", "default", "tasks"), rows)


def options() -> str:
    """One line an option of `upscaling`."""
    return _table(
        ("option", "meaning", "what is right"), ((f"`{name}`", HELP[name], kind.right.lower()) for name, kind in OPTIONS.items())
    )


def filled(page: str) -> str:
    """The page with the tables between their marks."""
    return between_marks(page, {"tasks": tasks(), "parameters": parameters(), "options": options()})


def _pictures(task: Task) -> str:
    needed = [f"`--{'layer' if name == 'source' else name}`" for name in task.needs or task.one_of]
    return (" or " if task.one_of else " and ").join(["a prompt"] * (task.needs_prompt and not needed) + needed)


def _right(kind: ValueType) -> str:
    if isinstance(kind, FreeText):
        return f"text of at most {kind.most} characters"
    if isinstance(kind, TextOfEach):
        return f"{kind.right}, each of at most {kind.text.most} characters"
    return "see below" if isinstance(kind, NamedValues) else kind.right


def _default(value: object) -> str:
    """Nothing where the model, the picture or the task decides."""
    return "" if value is None or value in ("", (), {}) else str(value).lower()


def _heeding(name: str) -> str:
    heeding = [f"`{task}`" for task, row in TASKS.items() if name in row.parameters]
    others = [f"`{task}`" for task in TASKS if f"`{task}`" not in heeding]
    if not others:
        return "all"
    return ", ".join(heeding) if len(heeding) <= len(others) else f"all but {', '.join(others)}"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
