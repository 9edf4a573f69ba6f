from __future__ import annotations

from pathlib import Path

import pytest
from acetate.engine.sketch.phrases import KEYWORD, NAME, PART, WORDS, Phrases, normalised

from training.pictures import words


@pytest.fixture
def phrases(folder: Path) -> Phrases:
    return Phrases(folder / WORDS)


@pytest.mark.parametrize(
    ("said", "meant"), [("  Red-APPLE! ", "red apple"), ("Straße", "strasse"), ("L’eau", "l'eau"), ("☁\ufe0f", "☁")]
)
def test_one_form_of_a_phrase_stands_for_all(said: str, meant: str) -> None:
    assert normalised(said) == meant


@pytest.mark.parametrize(("phrase", "kind"), [("red apple", NAME), ("apple", PART), ("tale", KEYWORD)])
def test_a_name_means_more_than_a_word_of_it_and_that_more_than_a_keyword(phrases: Phrases, phrase: str, kind: int) -> None:
    found = phrases.exact(phrase)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    ("word", "number"), [("dragons", 3), ("katzen", 5), ("gatos", 5), ("драконы", 3), ("кошку", 5), ("pears", 2), ("🍎", 0)]
)
def test_plurals_and_cases_lead_to_the_word_itself(phrases: Phrases, word: str, number: int) -> None:
    found = phrases.of(word)
    assert found is not None
    assert found.subjects == (number,)


def test_a_compound_is_known_by_its_end(phrases: Phrases) -> None:
    found = phrases.compound("glasflasche")
    assert found is not None
    assert found[0] == "glas"
    assert found[1].subjects == (6, 7)


@pytest.mark.parametrize("word", ["zyqwort", "", "drag", "a"])
def test_what_is_not_in_the_table_means_nothing(phrases: Phrases, word: str) -> None:
    assert phrases.of(word) is None


def test_every_phrase_of_many_blocks_is_found_and_none_between_them(tmp_path: Path) -> None:
    table = {f"word{number:05d}": {number: "n"} for number in range(0, 3 * Phrases.BLOCK, 2)}
    words.write(table, tmp_path / "words.zip")
    phrases = Phrases(tmp_path / "words.zip")
    for number in (0, 1, 4094, 4096, 8190, 8192, 8194, 12286):
        found = phrases.exact(f"word{number:05d}")
        assert (None if number % 2 else (number,)) == (found and found.subjects)


def test_equal_tables_give_equal_files(tmp_path: Path) -> None:
    for name, order in (("a", ("cat", "dog")), ("b", ("dog", "cat"))):
        words.write({word: {len(word): "n"} for word in order}, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
