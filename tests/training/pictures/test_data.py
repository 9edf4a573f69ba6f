"""The training data shows what its captions say."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from acetate.engine.pixels import quality

from training.judging import judge
from training.pictures import captions, noto, procedural, tokenizer
from training.pictures.subjects import HUES, OPEN, RECOLOURED, SUBJECTS, SYNONYMS


def test_the_vocabulary_is_large_enough_and_consistent() -> None:
    assert len(SUBJECTS) >= 130
    assert not (set(SYNONYMS) | set(RECOLOURED) | OPEN) - set(SUBJECTS)


@pytest.mark.parametrize("subject", ["apple", "cat", "car", "wine"])
def test_artwork_is_placed_clear_of_the_border(subject: str) -> None:
    placed = noto.place(noto.artwork(subject), 128, np.random.default_rng(0))
    assert quality.measure(placed)["border"] == 1
    assert placed[..., 3].max() == 255


@pytest.mark.parametrize("colour", HUES)
def test_recoloured_artwork_has_the_colour(colour: str) -> None:
    assert judge.colour_of(noto.recoloured(noto.artwork("balloon"), colour)) == colour


@pytest.mark.parametrize("material", procedural.MATERIALS)
@pytest.mark.parametrize("shape", procedural.SHAPES)
def test_solids_are_opaque_and_glass_is_not(shape: str, material: str) -> None:
    measured = quality.measure(procedural.solid(shape, "blue", material, 64, np.random.default_rng(0)))
    if material == "glass":
        assert 0.15 <= measured["subject_alpha"] <= 0.85
    else:
        assert measured["core"] == 1


def test_smoke_is_see_through() -> None:
    measured = quality.measure(procedural.effect("smoke", "grey", 64, np.random.default_rng(0)))
    assert 0.15 <= measured["subject_alpha"] <= 0.85


def test_every_subject_is_one_token(tmp_path_factory: pytest.TempPathFactory) -> None:
    words = tokenizer.write(tmp_path_factory.mktemp("words"))
    assert all(len(words(subject).input_ids) == 3 for subject in SUBJECTS)
    rng = np.random.default_rng(0)
    longest = max(len(words(captions.of_subject(subject, "purple", rng)).input_ids) for subject in SUBJECTS)
    assert longest <= tokenizer.CONTEXT


def test_words_have_the_same_numbers_in_every_process(tmp_path: Path) -> None:
    """Networks are trained, resumed and used in several."""
    learn = "import sys, pathlib; from training.pictures import tokenizer as t; t.write(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", learn, str(tmp_path / "there")], check=True, capture_output=True)
    tokenizer.write(tmp_path / "here")
    for name in ("vocab.json", "merges.txt"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def test_the_tokenizer_of_a_training_is_kept(tmp_path: Path) -> None:
    tokenizer.kept(tmp_path)
    merges = tmp_path / "merges.txt"
    merges.write_text("\n".join(merges.read_text(encoding="utf-8").splitlines()[:100]) + "\n", encoding="utf-8")
    before = merges.read_bytes()
    tokenizer.kept(tmp_path)
    assert merges.read_bytes() == before


def test_the_judge_passes_the_artwork_itself() -> None:
    rng = np.random.default_rng(5)
    order = [judge.ranking(noto.place(noto.artwork(s), 128, rng))[0] == s for s in list(SUBJECTS)[::7]]
    assert np.mean(order) >= 0.95
