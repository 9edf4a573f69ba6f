"""A file that another program has open is known to be, and nobody comes in while it is replaced."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from acetate.server.watching import held_open
from acetate.server.watching.held_open import HeldOpen

HOLD = "import sys; file = open(sys.argv[1], sys.argv[2]); print('open', flush=True); sys.stdin.read()"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bottle.psd"
    path.write_bytes(b"8BPS")
    return path


@pytest.mark.parametrize("leases", [True, False], ids=["by a lease", "by looking through programs"])
@pytest.mark.parametrize("mode", ["rb", "r+b"])
def test_a_file_that_another_program_reads_or_writes_is_held(
    file: Path, mode: str, leases: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not leases:
        monkeypatch.setattr(sys, "platform", "another")
    held_open.check(file)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, file, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout is not None and holder.stdout.readline() == "open\n"
        with pytest.raises(HeldOpen, match="bottle.psd is held open by another program"):
            held_open.check(file)
        assert "python" in (held_open.holder(file) or "")
        holder.communicate("")
    held_open.check(file)


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
def test_nobody_comes_in_unnoticed_while_the_file_is_reserved(file: Path) -> None:
    code = "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK)"
    with held_open.reserved(file):
        inside = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True)
    assert "BlockingIOError" in inside.stderr
    assert subprocess.run([sys.executable, "-c", code, file]).returncode == 0


def test_a_file_that_is_not_there_is_no_held_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        held_open.check(tmp_path / "none.psd")


def test_a_file_system_without_leases_is_looked_through(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refused(*_: object) -> None:
        raise OSError(22, os.strerror(22))

    monkeypatch.setattr(fcntl, "fcntl", refused)
    held_open.check(file)
    monkeypatch.setattr(held_open, "holder", lambda path: "Photoshop")
    with pytest.raises(HeldOpen):
        held_open.check(file)
