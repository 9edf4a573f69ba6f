"""An option that a message names is one that the program has."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from acetate.server.__main__ import COMMANDS, _parser

ROOT = Path(__file__).parents[3]
SPOKEN = ("engine", "vocabulary", "document", "protocol", "plugins", "server")
FOREIGN = {"--no-deps", "--upgrade", "--head", "--address", "--user", "--talk-name"}
"""Options of pip, Ray, flatpak and other programs."""
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")


def options_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from options_of(inner)


def spoken(path: Path) -> Iterator[tuple[str, str]]:
    """The options in a module's texts, docstrings left out, each with the text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield from ((option, node.value) for option in OPTION.findall(node.value))


@pytest.mark.parametrize("package", SPOKEN)
def test_every_option_in_a_text_exists(package: str) -> None:
    known = {option for command in COMMANDS for option in options_of(_parser(command))} | FOREIGN
    unknown = {
        f"{path.relative_to(ROOT)}: {option} in {text[:60]!r}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for option, text in spoken(path)
        if option not in known and text.strip() != option  # an argument of a process that is started
    }
    assert not unknown


def test_an_option_that_nobody_has_would_be_seen(tmp_path: Path) -> None:
    module = tmp_path / "m.py"
    module.write_text('"""--docstring"""\nraise ValueError(f"try --precision full for {1}")\n')
    assert list(spoken(module)) == [("--precision", "try --precision full for ")]
