"""Alt and a letter lead to one place only, in every language, and to that place in every language."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from acetate.plugins.bridge.translations import _
from acetate.plugins.gimp import arguments
from acetate.plugins.gimp.commands import COMMANDS
from acetate.plugins.gimp.widgets.mnemonics import BESIDE_FIELDS, CLOSE, KEEP, letters_of, with_mnemonic
from babel.messages.pofile import read_po

GIMP = Path(arguments.__file__).parent
CATALOGUES = GIMP.parent / "languages"
LANGUAGES = ["en", *sorted(path.stem for path in CATALOGUES.glob("*.po"))]
SIZE = ("width", "height")
"""The arguments whose fields stand behind another one's, without a label."""
IN_NO_WINDOW = {"_Width", "_Height", "_Result", "_Convert to RGB", "_Give up after"}
"""Labels of arguments that only the Procedure Browser shows."""


class Recorder:
    """A procedure that is told its arguments, and knows what they are called."""

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}

    def __getattr__(self, method: str) -> Callable[..., None]:
        assert method.startswith("add_") and method.endswith("_argument"), method
        return lambda name, label, *more: self.labels.update({name: label})


def labels_of(*adders: Callable[..., None]) -> dict[str, str]:
    """What these arguments are called, by their names."""
    procedure = Recorder()
    for add in adders:
        add(procedure)
    return procedure.labels


ALL = labels_of(*arguments.ADDERS.values())


def written(module: str, function: str = "") -> list[str]:
    """The labels with an underlined letter that stand in a module, or in a function of it."""
    tree: ast.AST = ast.parse((GIMP / module).read_text(encoding="utf-8"))
    if function:
        tree = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == function)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "marked"))
    texts = [call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)]
    found = [text for text in texts if isinstance(text, str) and letters_of([text]) and len(text) < 40]
    assert found, module
    return found


WINDOWS: dict[str, Sequence[str]] = {
    **{
        command.name: (*BESIDE_FIELDS, *(ALL[name] for name in command.names if name not in SIZE), ALL["new-seed"])
        for command in COMMANDS
        if command.task is not None
    },
    "history": (KEEP, CLOSE, *written("window/history_page.py")),
    "queue": (KEEP, CLOSE, *written("window/queue_page.py")),
    "menu": [command.label for command in COMMANDS],
    "reset": written("forms/preset_buttons.py"),
    "style": written("forms/styles_row.py"),
    "server": written("window/server_dialog.py"),
    "palette": written("window/questions.py", "may_convert"),
    "save": written("window/questions.py", "ask_for_path"),
    "file": (*written("window/questions.py", "ask_for_file"), *labels_of(arguments.add_file, arguments.add_masks).values()),
}
"""The labels that a person sees at once."""


def translated(language: str) -> Callable[[str], str]:
    if language == "en":
        return lambda text: text
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        texts = {message.id: str(message.string) for message in read_po(file, locale=language)}
    return lambda text: texts[text]


def collisions(labels: Sequence[str]) -> Iterator[str]:
    """The letters that several of the labels underline, with these labels."""
    by_letter: dict[str, list[str]] = {}
    for label in labels:
        for letter in letters_of([label]):
            by_letter.setdefault(letter, []).append(label)
    return (f"{letter}: {', '.join(found)}" for letter, found in by_letter.items() if len(found) > 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_labels_that_are_seen_at_once_underline_the_same_letter(language: str) -> None:
    told = translated(language)
    found = {name: list(collisions([told(label) for label in dict.fromkeys(labels)])) for name, labels in WINDOWS.items()}
    assert {name: letters for name, letters in found.items() if letters} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_button_that_begins_a_task_gets_a_letter_of_its_own(language: str) -> None:
    told = translated(language)
    for command in (command for command in COMMANDS if command.task is not None):
        taken = letters_of(told(label) for label in WINDOWS[command.name])
        (letter,) = letters_of([with_mnemonic(told(command.task.verb), taken)])
        assert letter not in taken


def test_every_label_with_a_letter_is_in_one_of_these_windows() -> None:
    with (CATALOGUES / "de.po").open("rb") as file:
        ours = [one for one in read_po(file) if any(path.startswith("plugins/gimp/") for path, _line in one.locations)]
    short = {one.id for one in ours if isinstance(one.id, str) and letters_of([one.id]) and len(one.id) < 40}
    assert short == {label for labels in WINDOWS.values() for label in labels if letters_of([label])} | IN_NO_WINDOW


def test_two_labels_with_one_letter_are_found() -> None:
    assert list(collisions(["_Details", "Vor_dergrund", "_Prompt", "LoRAs"])) == ["d: _Details, Vor_dergrund"]


@pytest.mark.parametrize(
    ("text", "taken", "underlined"),
    [
        ("Generate", "", "_Generate"),
        ("Generate", "gen", "Gene_rate"),
        ("Generate", "genrat", "Generate"),
        ("描く", "", "描く(_A)"),
        ("描く", "ab", "描く(_C)"),
    ],
)
def test_a_text_gets_its_first_free_letter_or_one_behind_it(text: str, taken: str, underlined: str) -> None:
    assert with_mnemonic(text, set(taken)) == underlined


def test_letters_are_found_whatever_their_case_and_none_where_none_is() -> None:
    assert letters_of(["_Prompt", "Cou_nt", "方法(_H)", "LoRAs", ""]) == {"p", "n", "h"}
    assert _(KEEP) == KEEP, "without a language, texts are as they stand in the code"
