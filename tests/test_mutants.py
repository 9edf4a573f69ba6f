"""The list of faults fits the code: `python tests/mutants/run.py` tries them, which takes too long for every run of the tests."""

from __future__ import annotations

import ast

import pytest

from .mutants.run import ROOT, Mutant, load

MUTANTS = load()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_one_place_and_names_tests_that_are_there(mutant: Mutant) -> None:
    source = mutant.file(ROOT).read_text(encoding="utf-8")
    changed = source.replace(mutant.old, mutant.new)

    assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source))
    assert mutant.tests and not mutant.missing_tests(ROOT)


def test_a_text_that_has_gone_or_is_there_twice_is_an_error() -> None:
    for old in ("no such text anywhere", "import"):
        with pytest.raises(ValueError, match="must be found once"):
            Mutant("", "protocol", old, "", ()).file(ROOT)
