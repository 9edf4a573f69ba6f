from __future__ import annotations

import subprocess
import sys

import pytest
from acetate.engine.sketch.understanding import Vocabulary

APPLES, BOTTLES = {0, 1}, {6, 7}


@pytest.mark.parametrize(
    ("prompt", "subjects"),
    [
        ("a dragon", [{3}]),
        ("a cute dragon, sticker, high quality", [{3}]),
        ("红苹果", [{0}]),
        ("🍎", [{0}]),
        ("an apple", [APPLES]),
        ("a bottle", [BOTTLES]),
        ("a red apple and a green pear", [{0}, {2}]),
        ("eine Katze und ein Drache", [{5}, {3}]),
        ("りんごと梨", [APPLES, {2}]),
        ("龙和狗", [{3}, {9}]),
        ("two cats", [{5}, {5}]),
        ("🍎🐕", [{0}]),
        ("un gato negro", [{5}]),
        ("a black cat", [{4}]),
        ("an orange", [{8}]),
        ("a cat with a pet dragon", [{5}]),
    ],
)
def test_the_longest_known_phrase_is_drawn(vocabulary: Vocabulary, prompt: str, subjects: list[set[int]]) -> None:
    assert [set(wanted.meaning.subjects) for wanted in vocabulary.understand(prompt).wanted] == subjects


@pytest.mark.parametrize(
    ("prompt", "colour", "material"),
    [
        ("a blue dragon", "blue", None),
        ("ein blauer Drache", "blue", None),
        ("un gato azul", "blue", None),
        ("синий дракон", "blue", None),
        ("青い龙", "blue", None),
        ("a glass dragon", None, "glass"),
        ("Glasflasche", None, "glass"),
        ("a blue metal dragon", "blue", "metal"),
        ("an orange cat", "orange", None),
        ("a dragon", None, None),
    ],
)
def test_a_colour_or_material_beside_a_subject_is_its_own(
    vocabulary: Vocabulary, prompt: str, colour: str | None, material: str | None
) -> None:
    (wanted,) = vocabulary.understand(prompt).wanted
    assert (wanted.colour, wanted.material) == (colour, material)


def test_each_of_two_subjects_has_its_own_colour(vocabulary: Vocabulary) -> None:
    first, second = vocabulary.understand("a blue dragon and a green pear").wanted
    assert (first.colour, second.colour) == ("blue", "green")


@pytest.mark.parametrize(("prompt", "unknown"), [("zyqwort", ("zyqwort",)), ("a zyqwort dragon", ("zyqwort",)), ("a dragon", ())])
def test_what_means_nothing_is_named(vocabulary: Vocabulary, prompt: str, unknown: tuple[str, ...]) -> None:
    assert vocabulary.understand(prompt).unknown == unknown


def test_a_place_is_no_subject_beside_one(vocabulary: Vocabulary) -> None:
    found = vocabulary.understand("a cat in the snow")
    assert found.places == ("snow",)
    assert [wanted.meaning.subjects for wanted in found.wanted] == [(5,)]


def test_among_equals_seeds_choose_and_one_seed_always_the_same(vocabulary: Vocabulary) -> None:
    (bottle,) = vocabulary.understand("a bottle").wanted
    assert {bottle.subject(seed) for seed in range(20)} == BOTTLES
    assert bottle.subject(7) == bottle.subject(7)


def test_an_unknown_word_leads_to_the_names_that_are_spelled_like_it(vocabulary: Vocabulary) -> None:
    assert vocabulary.nearest("dragoon", ["dragon", "pear"]) == ["dragon"]


def test_words_are_looked_up_without_torch() -> None:
    program = "import sys, acetate.engine.sketch.understanding; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
