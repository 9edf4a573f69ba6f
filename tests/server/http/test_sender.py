"""Who is waited for, and for how long: by a clock that the test sets."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from acetate.protocol.link import Link
from acetate.server.delivery.outbox import Frames, Outbox
from acetate.server.http.sender import Patience, Sender

STALL, SILENCE = 30.0, 120.0
LAYER, PART = 8 << 20, 1 << 20


@pytest.fixture
def patience() -> Patience:
    return Patience(STALL, SILENCE)


@pytest.mark.parametrize("rate", [100_000, 30_000, 5_000])
def test_a_transfer_that_makes_progress_is_never_cut(patience: Patience, rate: int) -> None:
    """8 MiB at 30 kB/s take five minutes, in which nothing else is heard of the client."""
    now = 0.0
    for _ in range(LAYER // PART):
        patience.begin(now)
        unsent = float(PART)
        while unsent > 0:
            assert not patience.is_over(now, int(unsent), heard_at=0.0), f"after {now:.0f} s"
            now += STALL / 4
            unsent -= rate * STALL / 4
        patience.end(now)
    assert now > LAYER / rate / 2 and not patience.is_over(now + SILENCE - 1, None, heard_at=0.0)


def test_a_client_that_takes_nothing_is_given_up_however_often_it_pings(patience: Patience) -> None:
    """The answers to its pings are a few bytes more each."""
    patience.begin(0.0)
    over = [patience.is_over(now, PART + 6 * now, heard_at=now) for now in range(0, 40, 5)]

    assert over == [False] * 7 + [True]
    assert "took nothing for 30 s" in patience.reason


def test_the_last_progress_counts_and_not_the_beginning_of_the_frame(patience: Patience) -> None:
    patience.begin(0.0)
    assert not patience.is_over(0.0, PART, heard_at=0.0)
    assert not patience.is_over(25.0, PART - 1, heard_at=0.0)
    assert not patience.is_over(50.0, PART - 1, heard_at=0.0)
    assert patience.is_over(56.0, PART - 1, heard_at=0.0)


def test_a_client_of_which_nothing_is_heard_is_given_up_when_there_is_nothing_to_send(patience: Patience) -> None:
    patience.begin(0.0)
    patience.end(10.0)
    assert not patience.is_over(130.0, None, heard_at=5.0)
    assert not patience.is_over(130.0, None, heard_at=float("-inf"))
    assert patience.is_over(131.0, None, heard_at=5.0)
    assert not patience.is_over(131.0, None, heard_at=20.0)


class Failing(Frames):
    async def next(self) -> str:
        raise RuntimeError("a mistake of ours")


def test_a_mistake_in_sending_ends_the_connection_instead_of_leaving_it_dumb() -> None:
    aborted: list[bool] = []

    async def scene() -> None:
        socket: Any = SimpleNamespace(unsent=0, last_byte=0.0, transport=SimpleNamespace(abort=lambda: aborted.append(True)))
        outbox = Outbox(10)
        outbox.ordered(Failing())
        await Sender(socket, outbox, Link(["raw"]), STALL, float("inf")).run()

    asyncio.run(scene())
    assert aborted == [True]
