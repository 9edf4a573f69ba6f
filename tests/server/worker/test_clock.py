"""A clock over one that the test sets."""

from __future__ import annotations

from acetate.server.worker.clock import LONGEST_SECONDS, AwakeClock


def test_it_counts_what_passes_between_looks() -> None:
    times = iter([100.0, 100.5, 101.25, 101.25])
    clock = AwakeClock(lambda: next(times))

    assert [clock.now(), clock.now(), clock.now()] == [0.5, 1.25, 1.25]


def test_it_stands_still_while_the_process_does() -> None:
    """As in a paused container: nobody could look at it, or hear anything."""
    times = iter([100.0, 101.0, 171.0, 172.0])
    clock = AwakeClock(lambda: next(times))
    clock.now()

    assert clock.now() == 1 + LONGEST_SECONDS
    assert clock.now() == 2 + LONGEST_SECONDS
