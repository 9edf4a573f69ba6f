"""The client against a server that says what the test tells it to, in the worst order that the protocol allows."""

from __future__ import annotations

import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from acetate.protocol import (
    Address,
    Cancelled,
    Client,
    Condition,
    Connected,
    Disconnected,
    Event,
    Failed,
    Failure,
    Finished,
    Image,
    Jobs,
    LayerReady,
    Parameters,
    ProtocolError,
    Queued,
    Started,
    proof,
)
from acetate.protocol import messages as wire
from acetate.protocol.frames import PixelPart, pack_header
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

DEADLINE = 60.0
LIMITS = wire.Limits(65536, 1 << 20, 1 << 26, 32768, 1 << 31, 10_000, 64, 200)
WELCOME = wire.Welcome(wire.VERSION, "fake", "raw", ("rgba8",), LIMITS, wire.Engine("ready"))


class FakeServer:
    """Welcomes everybody; `heard` holds what the newest client has said since."""

    def __init__(self) -> None:
        self.greeting: wire.ServerMessage = WELCOME
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self._newest: queue.Queue[ServerConnection] = queue.Queue()
        self._server = serve(self._serve, "127.0.0.1", 0, compression=None, process_request=self._prove)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def address(self) -> Address:
        return Address(f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/", "token")

    def connected(self) -> ServerConnection:
        """The next connection, once it has been welcomed."""
        return self._newest.get(timeout=DEADLINE)

    def hears(self, kind: str) -> dict[str, Any]:
        """The next message, which must be of this kind."""
        message = self.heard.get(timeout=DEADLINE)
        assert message["type"] == kind, message
        return message

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(DEADLINE)

    def _prove(self, connection: ServerConnection, request: Request) -> Response | None:
        if (asked := request.headers.get(proof.CHALLENGE)) is None:
            return None
        response = connection.respond(HTTPStatus.OK, "{}")
        response.headers[proof.ANSWER] = proof.proof(proof.digest_of(self.address.token), asked)
        return response

    def _serve(self, connection: ServerConnection) -> None:
        connection.recv()
        connection.send(wire.to_text(self.greeting))
        self._newest.put(connection)
        for frame in connection:
            self.heard.put(json.loads(frame))


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    yield fake
    fake.stop()


@pytest.fixture
def client(server: FakeServer) -> Iterator[Client]:
    with Client("test", address=server.address) as connected:
        assert isinstance(connected.events.get(timeout=DEADLINE), Connected)
        yield connected


@pytest.fixture
def says(server: FakeServer, client: Client) -> Callable[..., None]:
    """Let the server say these messages; back when the client has taken them all, without having read an event."""
    connection = server.connected()

    def say(*frames: wire.ServerMessage | bytes) -> None:
        for frame in frames:
            connection.send(frame if isinstance(frame, bytes) else wire.to_text(frame))
        connection.send(wire.to_text(wire.Jobs(())))
        with client.events.not_empty:
            assert client.events.not_empty.wait_for(lambda: Jobs in map(type, client.events.queue), DEADLINE)
            client.events.queue = type(client.events.queue)(e for e in client.events.queue if not isinstance(e, Jobs))

    return say


def layer(job: str, index: int = 0) -> tuple[wire.Layer, bytes]:
    """One pixel, whose red is its index."""
    box = wire.Box(0, 0, 1, 1)
    announced = wire.Layer(job, index, "kite", "foreground", 0, 0, 1, 1, box, "rgba8", 4, "0" * 64)
    return announced, pack_header(PixelPart(job, index, 0, 4)) + bytes([index, 0, 0, 255])


def asked(server: FakeServer, client: Client) -> str:
    """A job that the client has submitted and the server has heard of."""
    job = client.submit("foreground")
    assert server.hears("submit")["job"] == job
    return job


def reds(events: list[Event]) -> list[int]:
    return [event.data[0] for event in events if isinstance(event, LayerReady)]


def test_parameters_that_json_cannot_carry_fail_their_job_in_the_engines_words(server: FakeServer, client: Client) -> None:
    (last,) = client.run("foreground", Parameters(guidance_scale=float("nan")), timeout=10)
    assert isinstance(last, Failed) and last.failure.code == "bad-message"
    assert last.failure.message == "guidance_scale is nan; it must be a number from 0 to 100"
    asked(server, client)  # and the next one is heard of


def test_run_acknowledges_what_came_when_it_has_come(server: FakeServer, client: Client, says: Callable[..., None]) -> None:
    """Not before: until then the server keeps the layers in any case."""
    running = client.run("foreground", timeout=DEADLINE)
    events: queue.Queue[Event | None] = queue.Queue()

    def follow() -> None:
        for event in running:
            events.put(event)
        events.put(None)

    thread = threading.Thread(target=follow)
    thread.start()
    job = server.hears("submit")["job"]
    says(*layer(job, 0))
    assert isinstance(events.get(timeout=DEADLINE), LayerReady) and server.heard.empty()
    says(Finished(job, 1, 0.5))
    assert isinstance(events.get(timeout=DEADLINE), Finished) and events.get(timeout=DEADLINE) is None
    thread.join(DEADLINE)

    assert server.hears("acknowledge")["job"] == job


# --- following -------------------------------------------------------------------------------------------------------


def test_layers_that_came_before_a_job_was_followed_are_part_of_its_story(
    server: FakeServer, client: Client, says: Callable[..., None]
) -> None:
    """The layer waits among all events when `follow` begins, and the end comes live: nothing brings the layer again."""
    job = asked(server, client)
    says(Queued(job, 0), Started(job), *layer(job))
    following = client.follow(job, timeout=DEADLINE)
    begun = [next(following) for _ in range(3)]
    says(Finished(job, 1, 0.5))

    assert [type(event) for event in [*begun, *following]] == [Queued, Started, LayerReady, Finished]
    assert client.poll() == [], "each event is delivered once"
    client.jobs()
    server.hears("jobs")  # and no attach before it


def test_a_job_that_ended_before_it_was_followed_is_told_from_what_waits(
    server: FakeServer, client: Client, says: Callable[..., None]
) -> None:
    jobs = [asked(server, client) for _ in range(3)]
    for index, job in enumerate(jobs):
        says(Started(job), *layer(job, index))
    for job in reversed(jobs):
        says(Finished(job, 1, 0.5))

    assert [reds(list(client.follow(job, timeout=DEADLINE))) for job in jobs] == [[0], [1], [2]]
    assert client.poll() == []
    client.jobs()
    server.hears("jobs")


def test_jobs_that_end_while_another_is_followed_lose_nothing(
    server: FakeServer, client: Client, says: Callable[..., None]
) -> None:
    first, second = asked(server, client), asked(server, client)
    following = client.follow(first, timeout=DEADLINE)
    says(Started(first), *layer(second, 0), Finished(second, 2, 0.5))
    says(*layer(first, 7), Finished(first, 1, 0.5))

    assert reds(list(following)) == [7]
    assert reds(list(client.follow(second, timeout=DEADLINE))) == [0]


def test_a_job_whose_end_was_read_is_told_anew(server: FakeServer, client: Client, says: Callable[..., None]) -> None:
    job = asked(server, client)
    says(Started(job), *layer(job), Finished(job, 1, 0.5))
    assert len(client.poll()) == 3
    following = client.follow(job, timeout=DEADLINE)
    answer = threading.Thread(target=lambda: (server.hears("attach"), says(*layer(job), Finished(job, 1, 0.5))))
    answer.start()

    assert reds(list(following)) == [0]
    answer.join(DEADLINE)


def test_a_job_that_is_being_told_is_not_told_a_second_time(
    server: FakeServer, client: Client, says: Callable[..., None]
) -> None:
    """Two stories of one job could not be told apart: the end of the first would cut off the second."""
    job = asked(server, client)
    client.attach(job)
    assert client.submit("foreground", job=job) == job
    client.jobs()
    server.hears("jobs")
    says(*layer(job), Finished(job, 1, 0.5))

    assert reds(client.poll()) == [0]


def test_after_a_lost_connection_only_the_missing_layers_are_asked_for(server: FakeServer, client: Client) -> None:
    first = server.connected()
    job = asked(server, client)
    following = client.follow(job, timeout=DEADLINE)
    for frame in layer(job, 0):
        first.send(frame if isinstance(frame, bytes) else wire.to_text(frame))
    assert reds([next(following)]) == [0]
    first.close()
    second = server.connected()
    assert server.hears("submit")["job"] == job  # it was not accepted before
    second.send(wire.to_text(Queued(job, 0)))
    assert isinstance(next(following), Queued)
    second.close()
    third = server.connected()
    assert server.hears("attach")["have"] == [0]
    for frame in (*layer(job, 0), *layer(job, 1), Finished(job, 2, 0.5)):
        third.send(frame if isinstance(frame, bytes) else wire.to_text(frame))

    assert reds(list(following)) == [1]


def test_who_stops_following_cancels(server: FakeServer, client: Client, says: Callable[..., None]) -> None:
    job = asked(server, client)
    following = client.follow(job, timeout=DEADLINE)
    says(Started(job))
    next(following)
    following.close()
    server.hears("cancel")
    says(Cancelled(job))

    assert client.poll() == [Cancelled(job)]


def test_a_role_that_no_task_has_is_refused_at_once() -> None:
    """On the caller's thread: a background thread could only give up the connection, again and again."""
    client = Client("test", address=Address("ws://127.0.0.1:9/", "token"))
    with pytest.raises(TypeError, match="scene"):
        client.submit("refine", conditions={"scene": Condition("0" * 64)})


# --- greeting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["client-too-old", "server-too-old"])
def test_a_client_of_another_version_says_which_side_to_update_and_stops_trying(server: FakeServer, code: str) -> None:
    failure = Failure(code, "the client speaks protocol 1, the server another", "Update the other side.")
    server.greeting = wire.Error(failure, "hello")
    client = Client("test", address=server.address)
    with pytest.raises(ProtocolError, match="another") as refused:
        client.wait_until_connected(DEADLINE)
    client.close()

    assert refused.value.failure == failure
    assert client.poll() == [Disconnected(failure, retry_in=None, settled=True)]


# --- the end of a server ----------------------------------------------------------------------------------------------


def test_a_stopped_server_is_told_at_once_and_not_waited_for(server: FakeServer, client: Client) -> None:
    """Were it waited for, this would raise after `START_SECONDS`, and say that the connection is lost."""
    connection = server.connected()
    following = client.follow(asked(server, client))
    server.stop()
    connection.close(1001)
    with pytest.raises(ProtocolError, match="stopped") as ended:
        next(following)

    assert ended.value.failure.code == "server-stopped" and "acetate serve" in ended.value.failure.hint
    lost = client.poll()[0]
    assert isinstance(lost, Disconnected) and lost.failure == ended.value.failure and lost.retry_in is not None


@pytest.mark.parametrize("how", ["crash", "refusal"])
def test_a_server_that_breaks_down_is_waited_for(server: FakeServer, client: Client, how: str) -> None:
    connection = server.connected()
    job = asked(server, client)
    following = client.follow(job, timeout=DEADLINE)
    if how == "crash":
        connection.socket.shutdown(socket.SHUT_RDWR)
    else:
        connection.close(1011)
    again = server.connected()
    again.send(wire.to_text(Finished(job, 0, 0.5)))

    assert [type(event) for event in following] == [Finished]


# --- hanging up ------------------------------------------------------------------------------------------------------


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, a client that hangs up waits until it is understood."""
    monkeypatch.setattr("acetate.protocol.client.client.FLUSH_SECONDS", DEADLINE)


@pytest.mark.usefixtures("patient")
def test_what_was_said_just_before_hanging_up_arrives(server: FakeServer) -> None:
    """The server talks without a pause meanwhile: the client must not take that as a reason to leave at once."""
    client = Client("test", address=server.address)
    client.wait_until_connected()
    connection = server.connected()

    def chatter() -> None:
        with pytest.raises(ConnectionClosed):
            while True:
                connection.send(wire.to_text(wire.Progress("other-job", "denoise", 1, 2, 0.5)))

    talking = threading.Thread(target=chatter)
    talking.start()
    for _ in range(2000):
        client.acknowledge("some-job")
    client.close()
    talking.join(DEADLINE)

    for _ in range(2000):
        server.hears("acknowledge")


@pytest.mark.usefixtures("patient")
def test_a_job_that_was_asked_for_just_before_hanging_up_is_accepted_first(server: FakeServer) -> None:
    client = Client("test", address=server.address)
    client.wait_until_connected()
    connection = server.connected()
    picture = Image(1, 1, "rgba8", bytes(4))
    job = client.submit("refine", conditions={"source": Condition(picture)})
    leaving = threading.Thread(target=client.close)
    leaving.start()
    server.hears("upload")
    connection.send(wire.to_text(wire.Have(picture.sha256, 4, complete=True)))
    assert server.hears("submit")["job"] == job
    connection.send(wire.to_text(Queued(job, 0)))
    leaving.join(DEADLINE)

    assert isinstance(client.poll()[-1], Queued)


def test_hanging_up_on_a_server_that_does_not_answer_takes_a_bounded_time(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acetate.protocol.client.client.FLUSH_SECONDS", 0.1)
    client = Client("test", address=server.address)
    client.wait_until_connected()
    client.submit("foreground")
    client.close()

    assert server.hears("submit")
