"""A database that is damaged, or of a later release: what `acetate serve` does, says and keeps."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from acetate.protocol import Client, Finished, LayerReady, Parameters

SERVE = "import sys; from acetate.server.__main__ import main; sys.exit(main(['serve', '--port', '0', '--engine', 'fake']))"


def test_a_damaged_database_is_set_aside_and_the_layers_are_there(start_server: Any) -> None:
    server = start_server()
    with Client("test", address=server.address) as client:
        done = list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))[-1]
    server.stop()
    (server.folder / "jobs.sqlite").write_bytes(b"no database" * 1000)
    server.start()
    assert "The database of jobs was damaged. It is set aside as " in server.printed
    with Client("test", address=server.address) as client:
        again = [type(event) for event in client.follow(done.job, timeout=120)]

    assert again == [LayerReady, Finished]


def test_the_database_of_a_later_release_is_refused_in_one_line(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "jobs.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    environment = {**os.environ, "ACETATE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", SERVE], capture_output=True, text=True, timeout=120, env=environment)

    assert done.returncode == 2
    assert "jobs.sqlite is of a later release" in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_damaged_database_is_set_aside_and_the_person_reads_where(start_server: Any, tmp_path: Path) -> None:
    folder, damaged = tmp_path / "server", b"no database" * 1000
    folder.mkdir()
    (folder / "jobs.sqlite").write_bytes(damaged)
    server = start_server()

    kept = [path for path in folder.glob("*.sqlite*") if path.read_bytes() == damaged]
    assert len(kept) == 1 and kept[0].name in server.printed
