"""What is drawn for an asking layer goes into its file, in its place, and nothing that anybody did is lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from acetate import document
from acetate.document import Document, Layer
from acetate.engine import BadRequest, Picture, Request
from acetate.server.watching import answers as module
from acetate.server.watching.answers import Answers, Said, SavedMeanwhile
from acetate.server.watching.folder import Folder
from acetate.server.watching.held_open import HeldOpen
from acetate.server.worker.fake_engine import FakeEngine

PAPER = Layer(np.full((48, 64, 4), (240, 240, 230, 255), np.uint8), name="Paper")
SKETCH = np.full((16, 20, 4), (250, 30, 30, 255), np.uint8)
ASKING = Layer(SKETCH, 30, 20, "acetate: a glass bottle")
SKY = Layer(np.full((6, 64, 4), (0, 0, 255, 200), np.uint8), name="Sky")


class Artist:
    """Somebody who works on one file of a watched folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._saves = 0

    def save(self, *layers: document.Node) -> None:
        document.write(Document(64, 48, layers), self.path)
        self._saves += 1  # each save has a time of its own, however coarse the file system's clock is
        os.utime(self.path, ns=(self._saves, self._saves))

    def loaded(self) -> Document:
        return document.read(self.path)

    def list(self) -> list[tuple[str, bool]]:
        return [(node.name, node.visible) for node in document.walk(self.loaded().layers)]


class Engine:
    """The fake one, which keeps what it was asked and lets something happen meanwhile."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, request: Request) -> Iterator[Picture]:
        self.asked.append(request)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if "@refused" in request.prompt:
            raise BadRequest("the prompt is refused", "write another one")
        return (event for event in FakeEngine().run(request) if isinstance(event, Picture))


@pytest.fixture(params=["psd", "ora"])
def artist(request: pytest.FixtureRequest, tmp_path: Path) -> Artist:
    (tmp_path / "work").mkdir()
    return Artist(tmp_path / "work" / f"scene.{request.param}")


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def look(tmp_path: Path, artist: Artist, engine: Engine) -> Callable[[], list[Said]]:
    """Look at the folder once, as the command does, and answer what was saved."""
    folder = Folder(artist.path.parent, tmp_path / "home" / "watched.json")
    answers = Answers(folder, engine, {"steps": 2})

    def once() -> list[Said]:
        return [said for path in folder.saved(at_rest=False) for said in answers.answer(path)]

    return once


Look = Callable[[], list[Said]]


def test_a_layer_becomes_what_its_name_says_in_its_place_with_its_size(artist: Artist, engine: Engine, look: Look) -> None:
    artist.save(PAPER, ASKING, SKY)
    (said,) = look()
    assert (said.layer, said.made, said.error) == ("acetate: a glass bottle", ("a glass bottle (0)",), None)
    (request,) = engine.asked
    assert (request.prompt, request.width, request.height, request.seed, request.steps) == ("a glass bottle", 20, 16, 0, 2)
    assert artist.list() == [
        ("Paper", True),
        ("acetate: a glass bottle", False),
        ("a glass bottle (0)", True),
        ("Sky", True),
    ]
    made, asking = (document.find(artist.loaded(), name) for name in ("a glass bottle (0)", ASKING.name))
    assert isinstance(made, Layer) and isinstance(asking, Layer)
    assert made.box == made.box.intersection(ASKING.box) and not made.box.empty
    assert made.parameters["prompt"] == "a glass bottle"
    assert np.array_equal(asking.rgba, SKETCH)
    assert artist.loaded().picture is None, "the stored picture shows what the layers show"


def test_an_empty_layer_asks_for_the_whole_canvas(artist: Artist, engine: Engine, look: Look) -> None:
    artist.save(PAPER, Layer(np.zeros((0, 0, 4), np.uint8), name="acetate: fog"))
    look()
    assert (engine.asked[0].width, engine.asked[0].height) == (64, 48)


def test_our_own_write_is_no_save(artist: Artist, engine: Engine, look: Look) -> None:
    artist.save(PAPER, ASKING)
    look()
    assert look() == []
    assert len(engine.asked) == 1


def test_every_save_makes_a_new_version_and_hides_the_earlier_ones(artist: Artist, engine: Engine, look: Look) -> None:
    artist.save(PAPER, ASKING)
    for _ in range(2):
        look()
        artist.save(*artist.loaded().layers)
    look()
    assert [request.seed for request in engine.asked] == [0, 1, 2]
    assert artist.list() == [
        ("Paper", True),
        ("acetate: a glass bottle", False),
        ("a glass bottle (0)", False),
        ("a glass bottle (1)", False),
        ("a glass bottle (2)", True),
    ]


def test_a_program_that_saves_without_having_loaded_the_answer_does_not_lose_it(artist: Artist, look: Look) -> None:
    artist.save(PAPER, ASKING)
    look()
    artist.save(PAPER, ASKING, SKY)
    look()
    assert artist.list() == [
        ("Paper", True),
        ("acetate: a glass bottle", False),
        ("a glass bottle (0)", False),
        ("a glass bottle (1)", True),
        ("Sky", True),
    ]


def test_a_version_that_was_thrown_away_stays_away(artist: Artist, look: Look) -> None:
    artist.save(PAPER, ASKING)
    look()
    paper, asking, _ = artist.loaded().layers
    artist.save(paper, asking)
    look()
    assert [name for name, _ in artist.list()] == ["Paper", "acetate: a glass bottle", "a glass bottle (1)"]


def test_a_layer_that_is_renamed_asks_no_more(artist: Artist, engine: Engine, look: Look) -> None:
    artist.save(PAPER, ASKING)
    look()
    artist.save(PAPER, Layer(SKETCH, 30, 20, "bottle sketch"))
    assert look() == []
    assert len(engine.asked) == 1


def test_what_one_layer_gets_is_below_the_next_one_that_asks(artist: Artist, engine: Engine, look: Look) -> None:
    artist.save(ASKING, Layer(SKETCH, 30, 20, "acetate object: a cork"))
    said = look()
    assert [one.layer for one in said] == ["acetate: a glass bottle", "acetate object: a cork"]
    background = engine.asked[1].background
    assert background is not None and background[..., 3].any()
    assert not (background == SKETCH).all(), "the asking layer itself is hidden by then"


def test_one_layer_that_cannot_be_drawn_costs_only_itself(artist: Artist, engine: Engine, look: Look) -> None:
    artist.save(Layer(SKETCH, 0, 0, "acetate: @refused"), Layer(SKETCH, 5, 5, "acetate paint: x"), ASKING)
    said = {one.layer: one for one in look()}
    assert isinstance(said["acetate: @refused"].error, BadRequest)
    assert "asks for 'paint'" in str(said["acetate paint: x"].error)
    assert said[ASKING.name].made == ("a glass bottle (0)",)
    assert ("acetate: @refused", True) in artist.list()
    assert look() == [], "it is not tried again before the next save"


def test_a_file_that_cannot_be_read_is_said_once(artist: Artist, look: Look) -> None:
    artist.path.write_bytes(b"8BPS" + bytes(10))
    (said,) = look()
    assert isinstance(said.error, document.DocumentError)
    assert look() == []


def test_a_file_that_may_not_be_read_is_said_once_and_costs_only_itself(
    artist: Artist, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    artist.save(PAPER, ASKING)

    def forbidden(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(module.held_open, "check", forbidden)
    (said,) = look()
    assert isinstance(said.error, PermissionError)
    assert look() == []


def test_a_save_during_the_drawing_is_kept_and_gets_what_was_drawn(artist: Artist, engine: Engine, look: Look) -> None:
    artist.save(PAPER, ASKING)
    engine.meanwhile = lambda: artist.save(PAPER, ASKING, SKY)
    with pytest.raises(SavedMeanwhile):
        look()
    assert [name for name, _ in artist.list()] == ["Paper", ASKING.name, "Sky"]
    (said,) = look()
    assert said.made == ("a glass bottle (0)",)
    assert [name for name, _ in artist.list()] == ["Paper", ASKING.name, "a glass bottle (0)", "Sky"]
    assert len(engine.asked) == 1


def test_a_layer_that_is_gone_after_the_drawing_gets_nothing(artist: Artist, engine: Engine, look: Look) -> None:
    artist.save(PAPER, ASKING)
    engine.meanwhile = lambda: artist.save(PAPER)
    with pytest.raises(SavedMeanwhile):
        look()
    assert look() == []
    assert artist.list() == [("Paper", True)]


def test_a_file_that_is_opened_during_the_drawing_is_not_touched_and_gets_it_later(
    artist: Artist, engine: Engine, look: Look
) -> None:
    artist.save(PAPER, ASKING)
    held = artist.path.open("rb")
    held.close()
    before = artist.path.read_bytes()

    def open_it() -> None:
        nonlocal held
        held = artist.path.open("rb")

    engine.meanwhile = open_it
    with pytest.raises(HeldOpen):
        look()
    assert artist.path.read_bytes() == before
    with pytest.raises(HeldOpen):
        look()
    held.close()
    assert look()[0].made == ("a glass bottle (0)",)
    assert len(engine.asked) == 1


def test_a_failed_layer_of_a_held_file_is_not_drawn_at_every_look(
    artist: Artist, engine: Engine, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    artist.save(Layer(SKETCH, 0, 0, "acetate: @refused"), ASKING)
    with monkeypatch.context() as patch:
        patch.setattr(module.held_open, "reserved", refusing)
        patch.setattr(module.held_open, "check", lambda path: None)
        for _ in range(3):
            with pytest.raises(HeldOpen):
                look()
    assert len(engine.asked) == 2
    assert [one.error is None for one in look()] == [False, True]


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    raise HeldOpen(path)
    yield


def test_several_candidates_come_as_layers_of_which_one_is_shown(tmp_path: Path, artist: Artist, engine: Engine) -> None:
    folder = Folder(artist.path.parent, tmp_path / "home" / "watched.json")
    artist.save(PAPER, ASKING)
    list(Answers(folder, engine, {"count": 2}, seed=5).answer(artist.path))
    assert artist.list()[2:] == [("a glass bottle (6)", False), ("a glass bottle (5)", True)]
    artist.save(*artist.loaded().layers)
    list(Answers(folder, engine, {"count": 1}, seed=5).answer(artist.path))
    assert artist.list()[2:] == [("a glass bottle (6)", False), ("a glass bottle (5)", False), ("a glass bottle (7)", True)]
