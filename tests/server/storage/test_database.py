"""A file that cannot be used is told apart: damaged, of a later version, or not usable for now. None is touched."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from acetate.server.storage.database import Transaction, _check_pages, open_database
from acetate.server.storage.faults import DamagedError, StoreError


def one(path: Path, statement: str) -> Path:
    with sqlite3.connect(path) as db:
        db.execute(statement)
    db.close()
    return path


def zeroed(path: Path, page: int) -> bytes:
    """Write zeros over a page; returns the whole file."""
    open_database(path).close()
    data = bytearray(path.read_bytes())
    data[page * 4096 : (page + 1) * 4096] = bytes(4096)
    path.write_bytes(data)
    return bytes(data)


def test_the_file_of_a_later_version_is_refused_with_its_log_as_it_is(tmp_path: Path) -> None:
    """The version may be in the write-ahead log alone, which whoever closes the database would fold into it."""
    path = tmp_path / "jobs.sqlite"
    open_database(path).close()
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA user_version = 99")
    before = {name: (tmp_path / name).read_bytes() for name in ("jobs.sqlite", "jobs.sqlite-wal")}
    with pytest.raises(StoreError, match="of a later release: it has version 99, .* Nothing was changed") as refused:
        open_database(path)

    assert not isinstance(refused.value, DamagedError), "nobody may set it aside"
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    writer.close()


def test_what_is_no_database_is_damaged_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(DamagedError, match="file is not a database"):
        open_database(path)

    assert path.read_bytes() == b"this is no database at all" * 100


def test_a_folder_in_its_place_is_damage(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite").mkdir()
    with pytest.raises(DamagedError, match="is not a file"):
        open_database(tmp_path / "jobs.sqlite")


@pytest.mark.parametrize("page", range(1, 15))
def test_every_page_that_is_zeroed_is_found_before_it_is_used(page: int, tmp_path: Path) -> None:
    data = zeroed(tmp_path / "jobs.sqlite", page)
    with pytest.raises(DamagedError):
        open_database(tmp_path / "jobs.sqlite")

    assert (tmp_path / "jobs.sqlite").read_bytes() == data


def test_the_database_of_another_program_is_damage(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="its tables are not those of version 0"):
        open_database(one(tmp_path / "jobs.sqlite", "CREATE TABLE jobs (name)"))


def test_a_right_number_with_wrong_tables_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    open_database(path).close()
    one(path, "DROP TABLE notes")
    with pytest.raises(DamagedError, match="its table notes lacks name, value"):
        open_database(path)


def test_a_database_that_another_program_holds_is_not_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = one(tmp_path / "jobs.sqlite", "CREATE TABLE other (one)")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **kw: connect(*args, **{"timeout": 0, **kw}))
    with pytest.raises(StoreError, match="cannot be used: database is locked") as refused:
        open_database(path)

    assert not isinstance(refused.value, DamagedError)
    holder.close()


def test_a_check_that_takes_too_long_is_left_and_said(caplog: pytest.LogCaptureFixture) -> None:
    class Endless:
        """Stands in for a connection whose check would never end."""

        interrupted = threading.Event()

        def interrupt(self) -> None:
            self.interrupted.set()

        def execute(self, statement: str) -> None:
            self.interrupted.wait()
            error = sqlite3.OperationalError("interrupted")
            error.sqlite_errorcode = sqlite3.SQLITE_INTERRUPT
            raise error

    _check_pages(Endless(), 0)  # type: ignore[arg-type]

    assert "was not checked to its end" in caplog.text


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    db = open_database(tmp_path / "jobs.sqlite")
    with Transaction(db):
        db.execute("INSERT INTO notes VALUES ('kept', '1')")
    with pytest.raises(ZeroDivisionError), Transaction(db):
        db.execute("INSERT INTO notes VALUES ('lost', '2')")
        raise ZeroDivisionError

    assert [tuple(row) for row in db.execute("SELECT * FROM notes")] == [("kept", "1")]
    db.close()


def test_a_commit_that_fails_leaves_no_open_transaction_behind(tmp_path: Path) -> None:
    db = open_database(tmp_path / "jobs.sqlite")
    db.execute("PRAGMA defer_foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError), Transaction(db):
        db.execute("PRAGMA defer_foreign_keys = ON")
        db.execute("INSERT INTO inputs VALUES ('no-such-job', 'a')")

    assert not db.in_transaction
    db.close()
