"""Every command that says anything says it as JSON, too."""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from acetate.server.__main__ import COMMANDS

from ..conftest import Command

OTHERWISE = {"completion": "prints a program for a shell", "protocol": "prints JSON, or a file for a compiler"}


def parsers(command: str) -> Iterator[argparse.ArgumentParser]:
    parser = argparse.ArgumentParser(command)
    importlib.import_module(f"acetate.server.commands.{command}").add_options(parser)
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - OTHERWISE.keys()))
def test_every_command_and_each_of_its_words_takes_it(command: str) -> None:
    assert all("--json" in parser._option_string_actions for parser in parsers(command))


@pytest.mark.parametrize("words", [("models", "--json"), ("models", "list", "--json"), ("models", "--json", "list")])
def test_it_may_stand_before_or_after_a_word(acetate: Command, words: tuple[str, ...]) -> None:
    assert set(json.loads(acetate(*words).out)) == {"installed", "catalogue"}


def test_the_answer_is_one_value_and_nothing_else(acetate: Command, layer_file: Path) -> None:
    folder = Path("models")
    folder.mkdir()
    (folder / "text.safetensors").write_text("no model")
    answers = [
        acetate("convert", layer_file, "x.ora", "--json"),
        acetate("plugin", "zip", "all", "--json"),
        acetate("models", "add", folder, "--json"),
        acetate("models", "verify", "--json"),
        acetate("models", "remove", folder, "--json"),
        acetate("token", "add", "Ada", "--json"),
        acetate("token", "list", "--json"),
        acetate("token", "revoke", "Ada", "--json"),
        acetate("upscale", layer_file, "-o", "x.png", "--json"),
        acetate("layers", "x.png", "--json"),
    ]
    for answer in answers:
        assert answer.code == 0, answer.err
        json.loads(answer.out)


def test_an_error_stays_a_sentence_with_its_code(acetate: Command) -> None:
    code, out, err = acetate("convert", "missing.psd", "x.ora", "--json")
    assert (code, out) == (2, "") and err.startswith("acetate: missing.psd")


def test_the_licence_is_shown_where_it_does_not_disturb_the_answer(acetate: Command) -> None:
    code, out, err = acetate("models", "pull", "sd15-joint", "--json")
    assert (code, out) == (2, "") and "licence creativeml-openrail-m" in err
