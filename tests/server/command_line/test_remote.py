"""A request on a running server, as if it were an engine of one's own. Over a client that plays what a server would send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from acetate import engine
from acetate.engine import EngineError, Picture, Request
from acetate.protocol import (
    VERSION,
    Address,
    Box,
    Cancelled,
    Condition,
    Event,
    Failed,
    Failure,
    Finished,
    Image,
    Layer,
    LayerReady,
    Parameters,
    Progress,
    ProtocolError,
    Queued,
    RunningServer,
    Started,
)
from acetate.server.command_line import remote
from acetate.server.command_line.remote import RemoteServer, running_server
from acetate.vocabulary.parameters import values_of

JOB, ADDRESS = "job-number-1", Address("ws://127.0.0.1:5/", "token")
RGBA = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)
BLENDED = Layer(
    JOB, 0, "kite", "blended", 0, 0, 4, 3, Box(0, 0, 4, 3), "rgba8", RGBA.nbytes, "0" * 64,
    picture=1, seed=8, parameters={"seed": 8}, quality={"haze": 0.5}, warnings=("pale",), reference=True,
)  # fmt: skip


class Played:
    """Stands in for the client; `asked` is what it was asked to run, `closed` how often it was closed."""

    def __init__(self, events: Sequence[Event | Exception]) -> None:
        self.events, self.asked, self.closed = events, [], 0  # type: Sequence[Event | Exception], list[Any], int

    def __call__(self, name: str, *, address: Address) -> Played:
        assert address == ADDRESS
        return self

    def wait_until_connected(self) -> None:
        """There is a connection."""

    def run(
        self,
        task: str,
        parameters: Parameters,
        conditions: dict[str, Condition],
        *,
        references: list[Condition],
        crop: bool,
    ) -> Iterator[Event]:
        self.asked.append((task, parameters, {**conditions, "references": references} if references else conditions, crop))
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Any:
    def prepare(*events: Event | Exception) -> Played:
        played = Played(events)
        monkeypatch.setattr(remote, "Client", played)
        return played

    return prepare


def generated(request: Request) -> list[Any]:
    return list(RemoteServer(ADDRESS).generate(request))


def test_progress_and_layers_come_as_an_engine_sends_them(play: Any) -> None:
    layer = LayerReady(BLENDED, RGBA.tobytes())
    played = play(Queued(JOB, 0), Started(JOB), Progress(JOB, "denoise", 2, 4, 0.5), layer, Finished(JOB, 1, 1.0))
    step, picture = generated(Request(prompt="a kite"))

    assert step == engine.Progress(stage="denoise", step=2, steps=4, fraction=0.5)
    assert isinstance(picture, Picture) and np.array_equal(picture.rgba, RGBA) and picture.rgba.flags.writeable
    assert (picture.role, picture.index, picture.seed, picture.hidden) == ("blended", 1, 8, True)
    assert (picture.parameters, picture.quality, picture.warnings) == ({"seed": 8}, {"haze": 0.5}, ("pale",))
    assert played.closed == 1


def test_the_whole_request_is_sent_and_its_layers_come_back_whole(play: Any) -> None:
    played = play()
    request = Request(task="repaint", prompt="a kite", seed=3, model="painter", source=RGBA, mask=RGBA[..., 3])
    generated(request)
    ((task, parameters, conditions, crop),) = played.asked

    assert (task, crop) == ("repaint", False)
    assert values_of(parameters) == values_of(request)
    assert {role: one.content for role, one in conditions.items()} == {
        "source": Image(4, 3, "rgba8", RGBA.tobytes()),
        "mask": Image(4, 3, "gray8", RGBA[..., 3].tobytes()),
    }


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("bad-request", engine.BadRequest),
        ("bad-message", engine.BadRequest),
        ("too-large", engine.BadRequest),
        ("model-missing", engine.ModelMissing),
        ("model-broken", engine.ModelBroken),
        ("out-of-memory", engine.OutOfMemory),
        ("numeric-failure", engine.NumericFailure),
        ("worker-crashed", EngineError),
        ("a-code-of-a-newer-server", EngineError),
    ],
)
@pytest.mark.parametrize("way", ["of the job", "of the connection"])
def test_a_failure_is_the_error_that_an_engine_would_have_raised(play: Any, code: str, kind: type[EngineError], way: str) -> None:
    """So that a command ends with the same code and the same words, with a server and alone."""
    failure = Failure(code, "what is wrong", "what would be right")
    played = play(Failed(JOB, failure) if way == "of the job" else ProtocolError(code, failure.message, failure.hint))
    with pytest.raises(EngineError) as error:
        generated(Request(prompt="a kite"))

    assert type(error.value) is kind
    assert (str(error.value), error.value.hint) == ("what is wrong", "what would be right")
    assert played.closed == 1


def test_a_job_that_somebody_else_has_cancelled_does_not_look_finished(play: Any) -> None:
    play(Cancelled(JOB))
    with pytest.raises(EngineError, match="cancel"):
        generated(Request(prompt="a kite"))


def test_who_stops_listening_hangs_up(play: Any) -> None:
    played = play(*[Progress(JOB, "denoise", step, 4, step / 4) for step in range(4)])
    events = RemoteServer(ADDRESS).generate(Request(prompt="a kite"))
    next(events)
    assert played.closed == 0
    events.close()  # type: ignore[attr-defined]
    assert played.closed == 1


@pytest.mark.parametrize(
    ("said", "answers", "used"),
    [
        (None, True, False),
        (RunningServer(ADDRESS, 1, VERSION), True, True),
        (RunningServer(ADDRESS, 1, VERSION), False, False),
        (RunningServer(ADDRESS, 1, VERSION + 1), True, False),
    ],
    ids=["none", "runs", "was killed", "of another version"],
)
def test_only_a_server_that_answers_and_speaks_our_protocol_is_used(
    monkeypatch: pytest.MonkeyPatch, said: RunningServer | None, answers: bool, used: bool
) -> None:
    """Otherwise a command runs alone, and needs nobody to restart anything."""
    monkeypatch.setattr(remote.protocol, "running_server", lambda: said)
    monkeypatch.setattr(remote.protocol, "answers", lambda address: answers)
    found = running_server()
    assert (found is not None) == used and (found is None or found.address == ADDRESS)


def test_the_server_that_the_environment_names_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote.protocol, "running_server", lambda: RunningServer(ADDRESS, 1, VERSION))
    monkeypatch.setenv("ACETATE_URL", "wss://studio.example/")
    with pytest.raises(ProtocolError, match="ACETATE_TOKEN"):
        running_server()
    monkeypatch.setenv("ACETATE_TOKEN", "a token")
    found = running_server()
    assert found is not None and found.address == Address("wss://studio.example/", "a token")
