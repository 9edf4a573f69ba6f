"""Whether another program has a file open, and keeping others from it for the moment in which it is replaced."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil


class HeldOpen(Exception):
    """Another program has the file open."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} is held open by another program")


def check(path: Path) -> None:
    """Raise `HeldOpen` while another program has the file open, and `OSError` where it is not there."""
    with reserved(path):
        pass


@contextlib.contextmanager
def reserved(path: Path) -> Iterator[None]:
    """Nobody else has the file open inside. Raises `HeldOpen`, and `OSError` where it is not there.

    Linux answers by a lease, which knows the programs of all users and lets nobody in unnoticed. Windows refuses to move what is
    open. Elsewhere, and on file systems without leases, the open files of this person's programs are looked through.
    """
    if sys.platform == "win32":
        with _said(path, PermissionError):
            os.rename(path, path)
        yield
    elif sys.platform == "linux":
        with _leased(path):
            yield
    else:
        _look_through(path)
        yield


@contextlib.contextmanager
def _leased(path: Path) -> Iterator[None]:
    import fcntl

    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        try:
            with _said(path, BlockingIOError):
                fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # for who wants in; the usual signal would end this process
                fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError:  # another person's file, or a network's
            _look_through(path)
            yield
            return
        yield
    finally:
        os.close(file)  # gives the lease back


@contextlib.contextmanager
def _said(path: Path, refusal: type[OSError]) -> Iterator[None]:
    try:
        yield
    except refusal:
        raise HeldOpen(path) from None


def _look_through(path: Path) -> None:
    if holder(path) is not None:
        raise HeldOpen(path)


def holder(path: Path) -> str | None:
    """The name of a program of this person that has the file open; looking through all of them takes a while."""
    if sys.platform == "win32":  # where asking for open files may never return
        return None
    wanted = os.path.realpath(path)
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and any(file.path == wanted for file in process.open_files()):
                return str(process.info["name"])
    return None
