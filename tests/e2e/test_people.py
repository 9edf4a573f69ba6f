"""Several persons at one server, each with a token of their own: what each sees, and who has to go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from acetate.protocol import (
    Address,
    Client,
    Connected,
    Disconnected,
    Failed,
    Finished,
    HistoryPage,
    Jobs,
    Parameters,
    Started,
    answers,
)
from acetate.server.people.tokens import Tokens
from websockets.exceptions import ConnectionClosed

from .strangers import hello, open_raw, receive

DEADLINE = 60


@pytest.fixture
def server(start_server: Any) -> Any:
    return start_server(tokens_seconds=0.01)


@pytest.fixture
def come(server: Any) -> Callable[..., Address]:
    """Let a person in while the server runs; their address of it."""
    tokens = Tokens(server.folder / "tokens.json")

    def arrived(name: str, **rights: bool) -> Address:
        return Address(server.address.url, tokens.add(name, **rights))

    return arrived


def ask(client: Client, question: Callable[[], object], kind: type[Any]) -> Any:
    """The answer to a question; other news is passed over."""
    question()
    while not isinstance(event := client.events.get(timeout=DEADLINE), kind):
        pass
    return event


def test_a_person_works_with_own_jobs_and_sees_no_others(server: Any, come: Any) -> None:
    with Client("anna", address=come("anna")) as anna, Client("ben", address=come("ben")) as ben:
        job = anna.submit("foreground", Parameters(prompt="a kite"))
        assert isinstance(list(anna.follow(job, timeout=DEADLINE))[-1], Finished)
        assert [line.job for line in ask(anna, anna.jobs, Jobs).jobs] == [job]
        assert [entry.job for entry in ask(anna, anna.history, HistoryPage).entries] == [job]

        assert ask(ben, ben.jobs, Jobs).jobs == () and ask(ben, ben.history, HistoryPage).entries == ()
        ben.attach(job)
        assert ask(ben, lambda: None, Failed).failure.code == "unknown-job"
        export = ben.export([job], "png")
        end = list(ben.follow(export, timeout=DEADLINE))[-1]
        assert isinstance(end, Failed) and end.failure.code == "unknown-job"
    with Client("the artist at the computer", address=server.address) as admin:
        assert [line.job for line in ask(admin, admin.jobs, Jobs).jobs] == [job]


def test_another_persons_running_job_cannot_be_stopped_but_by_an_admin(server: Any, come: Any) -> None:
    with (
        Client("anna", address=come("anna")) as anna,
        Client("ben", address=come("ben")) as ben,
        Client("cleo", address=come("cleo", admin=True)) as cleo,
    ):
        job = anna.submit("foreground", Parameters(prompt="@sleep:0.05", steps=1000))
        ask(anna, lambda: None, Started)
        ben.cancel(job)
        assert ask(ben, ben.jobs, Jobs).jobs == (), "and what was asked before has been answered"
        assert [line.state for line in ask(anna, anna.jobs, Jobs).jobs] == ["running"]
        cleo.cancel(job)
        assert type(list(anna.follow(job, timeout=DEADLINE))[-1]).__name__ == "Cancelled"


def test_who_is_revoked_is_sent_away_and_is_not_let_in_again(server: Any, come: Any) -> None:
    address = come("anna")
    with Client("anna", address=address) as anna, Client("ben", address=come("ben")) as ben:
        assert isinstance(anna.events.get(timeout=DEADLINE), Connected)
        Tokens(server.folder / "tokens.json").revoke("anna")
        assert ask(anna, lambda: None, Disconnected).failure.code == "connection-lost"
        while (failure := ask(anna, lambda: None, Disconnected).failure).code == "connection-lost":
            pass
        assert failure.code == "not-the-server" and "revoked" in failure.hint
        assert isinstance(list(ben.run("foreground", Parameters(prompt="a kite"), timeout=DEADLINE))[-1], Finished)


def test_a_revoked_connection_is_told_why(server: Any, come: Any) -> None:
    with open_raw(server, token=come("anna").token) as connection:
        hello(connection)
        Tokens(server.folder / "tokens.json").revoke("anna")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                receive(connection)
    assert closed.value.rcvd is not None and (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "the token was revoked")


def test_tokens_with_names_outlive_the_server_and_its_own_does_not(server: Any, come: Any) -> None:
    hers, own = come("anna"), server.address
    server.stop()
    server.settings["port"] = int(own.url.rstrip("/").rsplit(":", 1)[1])
    server.start()

    assert answers(hers) and answers(server.address) and not answers(Address(server.address.url, own.token))
