"""One request, two doors: what the engine says of it, and what it hears over the wire. The same verdict, in the same words."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from acetate.engine import BadRequest, Request, validation
from acetate.protocol import Image, Parameters, ProtocolError
from acetate.protocol import messages as wire
from acetate.server.failures import of_engine_exception
from acetate.server.jobs.admission import check_order
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.rows import StoredBlob
from acetate.server.storage.store import Store
from acetate.server.worker.requests import target
from acetate.vocabulary import value_types
from acetate.vocabulary.parameters import PARAMETERS, values_of
from acetate.vocabulary.roles import GIVEN
from acetate.vocabulary.tasks import TASKS

REQUESTS = 10_000
JOB = "0123456789abcdef"
SIDE = 4
ANYBODY: Any = SimpleNamespace(sees=lambda person: True)
"""A client who may see every job."""
STRANGE: tuple[Any, ...] = (None, True, 0, -1, 1.5, "", "x", "../x", [], ["x"], [["x", 1]], {}, {"x": 1}, {"mode": "refine"})
NUMBERS: tuple[Any, ...] = (float("nan"), float("inf"), -float("inf"), 2**63, 2**70, -(2**63), 1e300)

Verdict = tuple[str, str] | None
"""Message and hint of a refusal; `None`: it can be run."""


def near(kind: value_types.ValueType, source: random.Random) -> Any:
    """A value inside, at or just outside of what a kind takes."""
    if isinstance(kind, (value_types.Whole, value_types.Number)):
        ends = (kind.least - 1, kind.least, kind.most, kind.most + 1, float(kind.least), kind.least - 1e-9, kind.most + 1e-9)
        return source.choice((*ends, source.randint(kind.least, kind.most), source.uniform(kind.least, kind.most)))
    if isinstance(kind, value_types.Choice):
        return source.choice((*kind.choices, str(kind.choices[0]), float("nan"), "neither"))
    if isinstance(kind, value_types.Flag):
        return source.choice((True, False, 0, 1, "yes"))
    if isinstance(kind, value_types.FreeText):
        return source.choice(
            ("a kite", "", " \n", "🪁" * kind.most, "\ud800", "x" * kind.most, "x" * (kind.most + 1), "é" * kind.most)
        )
    if isinstance(kind, value_types.ListedName):
        return source.choice(
            ("soft", "portraits/soft", "a/b/c/d", "a/b/c/d/e", "../x", "", ".x", "C:x", "a\\b", "n" * 200, "n" * 201)
        )
    if isinstance(kind, value_types.TextOfEach):
        return {source.choice((*kind.keys, "sky")): near(kind.text, source) for _ in range(source.randint(0, 4))}
    if isinstance(kind, value_types.WeightedNames):
        count = source.choice((0, 1, 2, kind.most, kind.most + 1))
        return tuple(
            (near(value_types.ListedName(), source) if count < 3 else f"n{i}", near(kind.weight, source)) for i in range(count)
        )
    assert isinstance(kind, value_types.NamedValues)
    names = source.sample([*kind.types, "denoise"], source.randint(0, 3))
    return {name: near(kind.types.get(name, value_types.Flag()), source) for name in names}


def drawn(source: random.Random) -> tuple[str, dict[str, Any], tuple[str, ...]]:
    """A task, some parameters and the names of some pictures: mostly right, so that later rules have their turn too."""
    task = source.choice((*TASKS, *TASKS, "paint", "", "Foreground"))
    parameters: dict[str, Any] = {"prompt": source.choice(("a kite", "a kite", "a kite", "", "  "))}
    for name in source.sample(list(PARAMETERS), source.choice((0, 0, 1, 1, 2, 4))):
        kind, chance = PARAMETERS[name].type, source.random()
        parameters[name] = near(kind, source) if chance < 0.8 else source.choice(STRANGE if chance < 0.9 else NUMBERS)
    row = TASKS.get(task)
    given = set(row.conditions if row and source.random() < 0.7 else ()) | set(source.sample(GIVEN, source.choice((0, 0, 1, 2))))
    return task, parameters, tuple(name for name in GIVEN if name in given)


ANYBODY: Any = SimpleNamespace(sees=lambda person: True)
"""A client that sees every job."""


class Doors:
    """The engine's check, and the way of a `submit` up to the same point: client, text frame, admission, worker."""

    def __init__(self, folder: Path) -> None:
        self.store, self.blobs = Store(folder / "jobs.sqlite"), Blobs(folder / "blobs")
        self.arrays: dict[str, Any] = {name: np.full((SIDE, SIDE, 4), 200, np.uint8) for name in GIVEN}
        self.arrays["mask"] = np.full((SIDE, SIDE), 255, np.uint8)
        self.images = {
            name: Image(SIDE, SIDE, "gray8" if name == "mask" else "rgba8", a.tobytes()) for name, a in self.arrays.items()
        }
        self.arrays["references"] = (self.arrays["references"],)
        self.files: dict[str, Any] = {}
        for name, image in self.images.items():
            Path(self.blobs.incoming(name)).write_bytes(image.data)
            self.blobs.adopt(name, image.sha256)
            self.store.keep_upload(StoredBlob(image.sha256, len(image.data), image.format, SIDE, SIDE))
            path = self.blobs.path(image.sha256)
            self.files[image.sha256] = {"path": path, "format": image.format, "width": SIDE, "height": SIDE}

    def engine(self, task: str, parameters: dict[str, Any], given: tuple[str, ...]) -> Verdict:
        try:
            validation.check(Request(task=task, **parameters, **{name: self.arrays[name] for name in given}))
        except BadRequest as error:
            return str(error), error.hint
        return None

    def server(self, text: str) -> Verdict:
        """A text frame, as the server and its worker judge it."""
        try:
            order = wire.from_client(text)
            assert isinstance(order, wire.Submit)
            check_order(ANYBODY, order, self.store, self.blobs)
            validation.check(target(order, self.files).request)  # the first thing that `Engine.run` does
        except ProtocolError as error:
            return error.failure.message, error.failure.hint
        except BadRequest as error:
            failure = of_engine_exception(error)
            return failure.message, failure.hint
        return None

    def client(self, task: str, parameters: dict[str, Any], given: tuple[str, ...]) -> Verdict:
        """Our own client: it sends nothing that JSON could not carry."""
        asked = Parameters(**parameters)
        try:
            wire.refuse(values_of(asked))  # as `Client.submit` does
        except ProtocolError as error:
            return error.failure.message, error.failure.hint
        placed: dict[str, Any] = {name: wire.Placed(self.images[name].sha256) for name in given}
        if "references" in placed:
            placed["references"] = (placed["references"],)
        conditions = wire.Conditions(**placed)
        return self.server(wire.to_text(wire.Submit(JOB, task, asked, conditions)))

    def frame(self, task: str, parameters: dict[str, Any], given: tuple[str, ...]) -> str:
        """What any client may write."""
        conditions: dict[str, Any] = {name: {"sha256": self.images[name].sha256} for name in given}
        if "references" in conditions:
            conditions["references"] = [conditions["references"]]
        body = {"type": "submit", "job": JOB, "task": task, "parameters": parameters, "conditions": conditions}
        return json.dumps(body, ensure_ascii=False)


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    doors = Doors(tmp_path)
    yield doors
    doors.store.close()


def is_json(value: Any) -> bool:
    """Whether the protocol's JSON has it: no NaN, no infinity, nothing beyond 64 bits."""
    if isinstance(value, dict):
        return all(map(is_json, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_json, value))
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    return not isinstance(value, int) or abs(value) < 2**63


def test_the_engine_and_the_wire_judge_alike_in_the_same_words(doors: Doors) -> None:
    source = random.Random(18)
    said: dict[str, int] = {}
    for _ in range(REQUESTS):
        asked = drawn(source)
        verdict = doors.engine(*asked)
        assert doors.client(*asked) == verdict, asked
        frame = doors.frame(*asked)
        if is_json(asked[1]) and len(frame.encode(errors="surrogatepass")) <= wire.MAX_TEXT_BYTES:
            assert doors.server(frame) == verdict, asked
        said[verdict[0] if verdict else ""] = said.get(verdict[0] if verdict else "", 0) + 1
    assert 1000 < said[""] < REQUESTS - 1000, "enough of both"
    reasons = ("works on a layer", "needs a mask", "both were given", "prompt is empty", "bytes together", "is nan", "at most 64")
    for words in reasons:
        assert any(words in message for message in said), f"no request was refused because it {words}"
