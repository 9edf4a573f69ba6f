"""Where events wait, and that none goes astray when a job's place changes while they come."""

from __future__ import annotations

import queue
import select
import threading
from collections.abc import Iterator

import pytest
from acetate.protocol import Cancelled, Event, Finished, Jobs, Queued, Started
from acetate.protocol.client.mailbox import Mailbox, holds_the_end

from ...locks import ContendedLock

JOB, OTHER = "j" * 32, "k" * 32
DEADLINE = 10.0


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    yield mailbox
    mailbox.close()


def is_readable(mailbox: Mailbox) -> bool:
    return bool(select.select([mailbox.fileno()], [], [], 0)[0])


def test_events_come_out_once_and_in_order(mailbox: Mailbox) -> None:
    told = [Queued(JOB, 0), Started(JOB), Jobs(()), Finished(JOB, 0, 0.5)]
    for event in told:
        mailbox.deliver(event)

    assert mailbox.poll() == told and mailbox.poll() == []


def test_the_socket_is_readable_while_events_wait(mailbox: Mailbox) -> None:
    mailbox.deliver(Started(JOB))
    assert is_readable(mailbox), "also for what came before anybody asked for a socket"
    mailbox.poll()
    assert not is_readable(mailbox)
    mailbox.deliver(Started(JOB))
    mailbox.deliver(Finished(JOB, 0, 0.5))
    assert is_readable(mailbox)
    mailbox.poll()
    assert not is_readable(mailbox)


def test_a_host_that_does_not_read_does_not_stop_the_connection(mailbox: Mailbox) -> None:
    """The socket's buffer is full long before."""
    mailbox.fileno()
    for position in range(5000):
        mailbox.deliver(Queued(JOB, position))

    assert len(mailbox.poll()) == 5000


def test_a_mailbox_that_is_closed_leaves_no_socket_and_loses_no_event() -> None:
    mailbox = Mailbox()
    ends = mailbox.fileno(), mailbox._signal
    mailbox.deliver(Started(JOB))
    mailbox.close()
    mailbox.close()
    mailbox.deliver(Finished(JOB, 0, 0.5))

    assert ends[1] is not None and [end.fileno() for end in ends[1]] == [-1, -1]
    assert mailbox.poll() == [Started(JOB), Finished(JOB, 0, 0.5)]


def test_an_inbox_gets_what_waits_for_its_job_and_what_comes_and_nothing_else(mailbox: Mailbox) -> None:
    for event in (Started(JOB), Started(OTHER), Jobs(())):
        mailbox.deliver(event)
    with mailbox.inbox(JOB) as inbox:
        for event in (Finished(OTHER, 0, 0.5), Finished(JOB, 0, 0.5)):
            mailbox.deliver(event)
        assert list(inbox.queue) == [Started(JOB), Finished(JOB, 0, 0.5)]
    mailbox.deliver(Cancelled(JOB))

    assert mailbox.poll() == [Started(OTHER), Jobs(()), Finished(OTHER, 0, 0.5), Cancelled(JOB)]


def test_an_inbox_knows_whether_the_story_is_whole(mailbox: Mailbox) -> None:
    mailbox.deliver(Started(JOB))
    with mailbox.inbox(JOB) as inbox:
        assert not holds_the_end(inbox)
        mailbox.deliver(Cancelled(JOB))
        assert holds_the_end(inbox)


def test_an_event_that_is_being_delivered_while_its_inbox_is_made_is_found_there(mailbox: Mailbox) -> None:
    """Whoever follows the job would otherwise wait for its end for ever: it would lie among all other events."""
    routing = mailbox._routing = ContendedLock()  # type: ignore[assignment]
    delivered, found = threading.Event(), []  # type: threading.Event, list[Event]

    def follow() -> None:
        with mailbox.inbox(JOB) as inbox:
            routing.wanted.set()
            assert delivered.wait(DEADLINE)
            found.extend(inbox.queue)

    following = threading.Thread(target=follow)

    class Handover(queue.Queue[Event]):
        """Lets the follower come when the event has found no inbox and is about to be put among all others."""

        def put(self, item: Event, block: bool = True, timeout: float | None = None) -> None:
            following.start()
            assert routing.wanted.wait(DEADLINE)
            super().put(item, block, timeout)

    mailbox.events = Handover()
    mailbox.deliver(Finished(JOB, 0, 0.5))
    delivered.set()
    following.join(DEADLINE)

    assert found == [Finished(JOB, 0, 0.5)] and mailbox.poll() == []
