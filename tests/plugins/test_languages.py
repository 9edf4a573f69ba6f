"""Every visible text of both plug-ins goes through the catalogue, and every catalogue fits the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
SHOWN = [path.relative_to(PLUGINS).as_posix() for room in ("bridge", "gimp", "krita") for path in (PLUGINS / room).rglob("*.py")]

IN_CATALOGUE = {"_", "marked", "counted", "said"}
NOT_SHOWN = {
    *("debug", "info", "warning", "error", "exception", "getLogger", "Formatter"),  # the log is in English
    *("ValueError", "TypeError", "KeyError", "RuntimeError", "AssertionError"),  # mistakes in the program
    *("require_version", "getattr", "setObjectName", "icon", "babl_format", "get_data"),
}
"""Functions whose texts nobody reads in an editor."""
NAMES = {
    *("Acetate", "The Acetate authors", "gimp {}", "Krita {}"),  # also as the server is told them
    "<Layers>/Layers Menu/Acetate",  # where GIMP's menus are
    "\n# end of settings\n",  # as GIMP writes it
}
"""Texts that are the same in all languages."""
NAMES_OF_OTHERS = {
    "krita/colours.py": "profiles, as Krita calls them",
    "krita/inserting/blending.py": "Krita's blend modes",
    "krita/inserting/hand.py": "Krita's classes",
    "krita/widgets/own_keys.py": "Qt's keys",
    "krita/window/circumstances.py": "a report for the authors, in English",
    "krita/forms/remembering.py": "the key of an annotation in a document",
    "gimp/pixels.py": "babl's formats",
    "bridge/status/log_file.py": "folders of macOS",
    "gimp/acetate-gimp.py": "modules",
    "bridge/launch.py": "a command",
}
"""Modules whose texts are names that other programs give, and what they are."""


@pytest.mark.parametrize("module", sorted(set(SHOWN) - set(NAMES_OF_OTHERS)))
def test_no_visible_text_is_outside_the_catalogue(module: str) -> None:
    assert list(outside((PLUGINS / module).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("button.setText('Stop')", ["Stop"]),
        ("say(f'{name} is empty')", ["{} is empty"]),
        ("say(f'{count} layers')", ["{} layers"]),
        ("say('No layer ' + name)", ["No layer "]),
        ("say(_('Stop'), name='acetate_stop', icon='gimp-layer')", []),
        ("log.info('connected to %s', name)\nraise ValueError('no such layer here')", []),
        ("def stop() -> None:\n    'Stop the job.'", []),
        ("TITLE = marked('Stop the job')", []),
    ],
)
def test_a_text_outside_the_catalogue_is_found(code: str, found: list[str]) -> None:
    assert [text for _line, text in outside(code)] == found


def outside(code: str) -> Iterator[tuple[int, str]]:
    """Line and words of each text that looks as if people read it and is not given to the catalogue."""
    tree = ast.parse(code)
    within = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        text = _words(node)
        if text is None or text in NAMES or not _looks_visible(text, whole=isinstance(node, ast.Constant)):
            continue
        around = list(_around(node, within))
        if isinstance(around[0], (ast.Expr, ast.JoinedStr)) or any(_is_exempt(one) for one in around):
            continue
        yield node.lineno, text


def _words(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def _looks_visible(text: str, *, whole: bool) -> bool:
    """Several words, or one as it stands on a button; with blanks also a single word beside one."""
    if re.search(r"[A-Za-z]{2,}[,.:;]? [A-Za-z({]|[a-z]{2,}[.!?]$", text):
        return True
    return (
        bool(re.fullmatch(r"_?[A-Z][a-z_]+(…|\.\.\.|:)?", text))
        if whole
        else bool(re.search(r"\} [A-Za-z]+\b|[A-Z][a-z]+[:,] \{", text))
    )


def _around(node: ast.AST, within: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    while node in within:
        node = within[node]
        yield node


def _is_exempt(node: ast.AST) -> bool:
    if isinstance(node, (ast.Assert, ast.Subscript, ast.AnnAssign)) and not isinstance(node, ast.AnnAssign):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
    return name in IN_CATALOGUE or name in NOT_SHOWN
