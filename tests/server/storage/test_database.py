"""A file that cannot be used is refused, named, and left as it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from acetate.server.storage.database import StoreError, Transaction, open_database


def test_the_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="jobs.sqlite cannot be read: it has version 99, .* Move it away"):
        open_database(path)


def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StoreError, match="Move it away"):
        open_database(path)

    assert path.read_bytes() == b"this is no database at all" * 100


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    db = open_database(tmp_path / "jobs.sqlite")
    with Transaction(db):
        db.execute("INSERT INTO notes VALUES ('kept', '1')")
    with pytest.raises(ZeroDivisionError), Transaction(db):
        db.execute("INSERT INTO notes VALUES ('lost', '2')")
        raise ZeroDivisionError

    assert [tuple(row) for row in db.execute("SELECT * FROM notes")] == [("kept", "1")]
    db.close()
