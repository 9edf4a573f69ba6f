from __future__ import annotations

import errno
import logging
import os
from types import SimpleNamespace
from typing import Any

import pytest
from acetate.server.open_files import OWN, SAID_AGAIN_SECONDS, Complaints, raise_limit, within
from acetate.server.settings import Settings


def test_the_limit_is_at_least_what_it_was() -> None:
    resource = pytest.importorskip("resource")
    before, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = raise_limit()

    assert limit is not None and (limit >= before or before == resource.RLIM_INFINITY)


@pytest.mark.parametrize("limit", [20, 64, 256, 1024, 8192, None])
def test_sockets_leave_room_for_the_servers_own_files_and_for_saying_no(limit: int | None) -> None:
    settings = Settings()
    fitting = within(limit, settings)

    assert 1 <= fitting.connections < fitting.sockets <= settings.sockets
    if limit is not None and limit > OWN + 6:
        assert fitting.sockets + OWN + fitting.sockets // 2 <= limit, "each second may have a file open"
    if limit is None or limit >= 1024:
        assert fitting == settings


def test_a_system_without_files_is_said_once_a_minute_and_other_mistakes_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    clock, passed = SimpleNamespace(now=0.0), []
    loop: Any = SimpleNamespace(default_exception_handler=passed.append)
    complaints = Complaints(lambda: clock.now)
    none_left = {"message": "socket.accept() out of system resource", "socket": object()}
    none_left["exception"] = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    mistake = {"message": "a task has failed", "exception": OSError(errno.EMFILE, "elsewhere")}
    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            complaints.take(loop, none_left)
        clock.now = SAID_AGAIN_SECONDS
        complaints.take(loop, none_left)
        complaints.take(loop, mistake)

    assert [record.message for record in caplog.records] == ["a client cannot be let in"] * 2
    assert all(record.exc_info is None for record in caplog.records) and passed == [mistake]
