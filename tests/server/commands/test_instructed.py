"""`acetate edit` and `acetate extract` as a user types them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import acetate.engine.preflight
import numpy as np
import pytest
from acetate.engine import Picture, Progress, Request, validation
from acetate.engine.engine import Engine
from PIL import Image

Command = Callable[..., tuple[int, str, str]]


def _looked(request: Request) -> SimpleNamespace:
    """Any model is there."""
    validation.check(request)
    return SimpleNamespace(takes_no_network=False, requests=(request,), notes=())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The requests that reach an engine, which gives every source back."""
    found: list[Request] = []

    def run(self: Engine, request: Request) -> Iterator[Progress | Picture]:
        found.append(request)
        assert request.source is not None
        yield Picture(rgba=request.source, role="foreground", index=0, seed=request.seed, parameters={"task": request.task})

    monkeypatch.setattr(Engine, "run", run)
    monkeypatch.setattr(acetate.engine.preflight, "Preflight", lambda library: SimpleNamespace(look=_looked))
    return found


def test_a_picture_is_edited_with_further_ones_that_the_words_speak_of(
    acetate: Command, asked: list[Request], layer_file: Path, tmp_path: Path
) -> None:
    for name, size in (("one.png", (4, 4)), ("two.png", (6, 2))):
        Image.new("RGBA", size, (9, 8, 7, 255)).save(tmp_path / name)
    words = ("edit", layer_file, "wear the hat of <image2>", "-o", "made.png", "--model", "qwen", "--seed", 3, "--alone")
    references = ("--reference", tmp_path / "one.png", "--reference", tmp_path / "two.png")
    assert acetate(*words, *references)[:2] == (0, "made.png\n")
    (request,) = asked
    assert (request.task, request.prompt, request.model, request.seed) == ("edit", "wear the hat of <image2>", "qwen", 3)
    assert [one.shape for one in request.references] == [(4, 4, 4), (2, 6, 4)]
    assert request.mask is None


def test_a_subject_is_cut_out_by_words_or_by_a_mask_alone(
    acetate: Command, asked: list[Request], layer_file: Path, tmp_path: Path
) -> None:
    with Image.open(layer_file) as layer:
        Image.new("L", layer.size, 255).save(tmp_path / "mask.png")
    assert acetate("extract", layer_file, "the kite", "-o", "kite.png", "--alone")[0] == 0
    assert acetate("extract", layer_file, "-o", "kite.png", "--mask", tmp_path / "mask.png", "--alone")[0] == 0
    by_words, by_mask = asked
    assert (by_words.task, by_words.prompt, by_words.mask) == ("extract", "the kite", None)
    assert by_mask.prompt == "" and by_mask.mask is not None and np.unique(by_mask.mask).tolist() == [255]


@pytest.mark.parametrize("command", ["edit", "extract", "decompose"])
def test_a_model_that_cannot_do_it_says_which_can(acetate: Command, layer_file: Path, command: str) -> None:
    code, _, err = acetate(command, layer_file, "the kite", "-o", "made.png", "--alone")
    assert code != 0
    assert f"--task {command} cannot be done by sketchpad models" in err and "qwen21" in err
