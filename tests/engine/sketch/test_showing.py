"""A model with a memory draws after it: with random weights, what holds whatever the networks draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import Engine, Picture, Request, builtin
from acetate.engine.sketch import memory
from acetate.engine.sketch.networks import Enlarger, PatchDecoder, PatchEncoder
from acetate.engine.sketch.phrases import WORDS
from acetate.engine.sketch.recall import Recall
from acetate.engine.sketch.showing import plain, remarks

from training import packing
from training.fitting import recalling
from training.fitting.patch_codec import LATENT_CHANNELS
from training.pictures import words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    made = tmp_path_factory.mktemp("recalling") / "sketchpad"
    codec = (PatchEncoder(LATENT_CHANNELS), PatchDecoder(LATENT_CHANNELS, (8, 8, 8), (1, 1, 1)))
    packing.save(made, recalling.network(), *codec, Enlarger(8, 1))
    words.write({"dragon": {0: "n"}, "pear": {1: "n"}}, made / WORDS)
    memory.write(made / memory.MEMORY, list(np.full((2, 128, 128, 4), 200, np.uint8)), ["dragon", "pear"], "")
    return made


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu", acceleration="eager")


@pytest.fixture
def draw(engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(builtin, "FOLDER", folder)

    def pictures(**values: Any) -> list[Picture]:
        return [event for event in engine.run(Request(**{"steps": 2, **values})) if isinstance(event, Picture)]

    return pictures


def test_the_reference_is_among_the_parameters_and_nothing_is_warned_of(draw: Any) -> None:
    (picture,) = draw(prompt="a dragon and a pear")
    assert picture.parameters["reference"] == "dragon, pear"
    assert not any("does not know" in warning for warning in picture.warnings)


def test_a_word_that_finds_nothing_is_said_first_and_the_drawing_is_made(draw: Any) -> None:
    (picture,) = draw(prompt="a zyqwort")
    assert picture.warnings[0].startswith("sketchpad does not know 'zyqwort'")
    assert "reference" not in picture.parameters


def test_every_picture_of_several_has_a_reference_of_its_own(draw: Any) -> None:
    first, second = draw(prompt="a dragon", count=2)
    assert (first.rgba != second.rgba).any()
    assert (draw(prompt="a dragon", seed=second.seed)[0].rgba == second.rgba).all()


def test_a_larger_picture_is_enlarged_by_the_network(draw: Any) -> None:
    (picture,) = draw(prompt="a dragon", width=640, height=512)
    assert picture.rgba.shape == (512, 640, 4)


def test_a_layer_that_is_refined_is_its_own_reference(draw: Any) -> None:
    source = np.full((128, 128, 4), 255, np.uint8)
    (picture,) = draw(task="refine", prompt="a dragon", source=source, strength=0.5)
    assert "reference" not in picture.parameters
    assert picture.rgba.shape == source.shape


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        ((), ()),
        (
            ("dragoon", "x1"),
            ("sketchpad does not know 'dragoon', 'x1'; nearest: dragon. For anything else choose or get a model.",),
        ),
        (("zyqwort",), ("sketchpad does not know 'zyqwort'. For anything else choose or get a model.",)),
    ],
)
def test_unknown_words_are_said_with_the_nearest_names(folder: Path, unknown: tuple[str, ...], said: tuple[str, ...]) -> None:
    assert remarks(Recall(folder), unknown) == said


@pytest.mark.parametrize(
    ("prompt", "words"),
    [("a (red:1.3) dragon", "a red dragon"), ("[pear:dragon:0.5]", "dragon"), ("a dragon AND a pear", "a dragon, a pear")],
)
def test_emphasis_is_no_word(prompt: str, words: str) -> None:
    assert plain(prompt) == words
