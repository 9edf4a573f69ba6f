"""One server per person: the lock, the token, the state file that local clients read. Knows files, no socket."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import stat
import subprocess
import sys
from pathlib import Path
from typing import IO

from acetate.protocol.home import Address
from acetate.protocol.messages import VERSION

PRIVATE = ("jobs.sqlite*", "blobs", "server.log*", "serve.out", "tokens.json", "worker-*.err")
"""The files that quote prompts and pictures, or name persons. Others in a folder that the person chose are not ours to close."""


INHERITED = "ACETATE_LOCK_DESCRIPTOR"
"""The variable by which a server gives its lock to the one that takes its place."""


class AlreadyRunningError(Exception):
    """Another server holds the lock of this folder."""


class Instance:
    """Holds the folder's lock from construction to `release`; a killed server's lock is freed by the operating system."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _close_to_others(folder)
        self.state_file = folder / "server.json"
        self._lock = _lock(folder / "server.lock")
        for path in (path for pattern in PRIVATE for path in folder.glob(pattern)):
            path.chmod(0o700 if path.is_dir() else 0o600)  # it may be older than the rule
        self.token = secrets.token_hex(32)
        """256 random bits, new at every start."""

    def announce(self, url: str, cafile: Path | None = None, *, until_idle: bool = False) -> Address:
        """Write the state file, which only this person can read and which is never half-written. `until_idle` says that clients
        may replace the server by a newer one."""
        address = Address(url, self.token, str(cafile.absolute()) if cafile else None)
        said = {"url": url, "token": self.token, "pid": os.getpid(), "protocol": VERSION}
        if address.cafile:
            said["cafile"] = address.cafile
        if until_idle:
            said["until_idle"] = True
        temporary = self.state_file.with_suffix(f".{os.getpid()}")
        temporary.unlink(missing_ok=True)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(said, file)
        os.replace(temporary, self.state_file)
        return address

    def withdraw(self) -> None:
        """Remove the state file, so that no client comes any more."""
        self.state_file.unlink(missing_ok=True)

    def keep_for_successor(self) -> None:
        """Let the program that takes this process's place have the lock, so that no other server comes between."""
        if sys.platform != "win32":
            kept = os.dup(self._lock.fileno())
            os.set_inheritable(kept, True)
            os.environ[INHERITED] = str(kept)

    def release(self) -> None:
        """Remove the state file and give up the lock."""
        self.withdraw()
        self._lock.close()


def _close_to_others(folder: Path) -> None:
    """Take everybody's right to write away from the person's own folder. Raises `OSError` for another's, where anybody could put
    a state file of their own in the place of ours."""
    state = folder.stat()
    if sys.platform == "win32" or not state.st_mode & stat.S_IWOTH:
        return
    if state.st_uid != os.geteuid():
        raise PermissionError(errno.EACCES, "everybody may write there; choose another with ACETATE_HOME", str(folder))
    folder.chmod(stat.S_IMODE(state.st_mode) & ~stat.S_IWOTH)


def start_again() -> int:
    """Run this process's command line anew, in this process where the system can: environment, folder, terminal and supervisor
    stay the same. Returns the exit code only on Windows, where it is another process."""
    command = [sys.executable, *sys.orig_argv[1:]]
    if sys.platform == "win32":
        subprocess.Popen(command)
        return 0
    os.execv(command[0], command)


def _lock(path: Path) -> IO[bytes]:
    if (inherited := os.environ.pop(INHERITED, "")).isdecimal():
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(int(inherited)), os.stat(path)):
                os.set_inheritable(int(inherited), False)
                return os.fdopen(int(inherited), "r+b")
    file = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")  # noqa: SIM115 (held until release)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise AlreadyRunningError(str(path)) from None
    return file
