"""Connecting again, without the waiting. What a connection is used for, `test_client` shows."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from acetate.protocol import Address, Client, Disconnected
from acetate.protocol.reconnecting import FIRST_RETRY, LAST_LOCAL_RETRY, LAST_RETRY

DEADLINE = 60.0


class Waits(threading.Event):
    """Notes how long was to be waited, instead of waiting; set after so many times."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count, self.seconds = count, []  # type: int, list[float]

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds.append(timeout)
        if len(self.seconds) == self.count:
            self.set()
        return self.is_set()


@pytest.mark.parametrize(("address", "last"), [(Address("ws://127.0.0.1:9/", "token"), LAST_RETRY), (None, LAST_LOCAL_RETRY)])
def test_attempts_become_rarer_and_keep_no_step_with_other_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: Address | None, last: float
) -> None:
    """All clients lose a server at the same moment, and must not come back all at the same moment."""
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    client = Client("test", address=address)
    client._connection._closing = waits = Waits(10)
    client.connect()
    told = [client.events.get(timeout=DEADLINE) for _ in range(waits.count)]
    client.close()
    delays = [event.retry_in for event in told if isinstance(event, Disconnected) and event.retry_in is not None]
    spread = {waited / delay for waited, delay in zip(waits.seconds, delays, strict=True)}

    assert delays == [min(FIRST_RETRY * 2**attempt, last) for attempt in range(waits.count)]
    assert len(spread) > 1 and min(spread) >= 0.8 and max(spread) <= 1.2
