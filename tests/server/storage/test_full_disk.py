"""A full disk takes ends and deletions, and gives an end that it could not take at the next chance."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Failure
from acetate.server.storage.full_disk import SLOT_BYTES, SLOTS, HeldEnds, Reserve
from acetate.server.storage.rows import End

FULL = End("failed", 5.0, 1.5, Failure("disk-full", "the disk is full", "Free some space."), ("a note",))


def refusing(times: int, error: Exception | None = None) -> Callable[[], str]:
    """A change that the disk takes after so many attempts."""
    left = [times]

    def write() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise error or sqlite3.OperationalError("database or disk is full")
        return "written"

    return write


@pytest.fixture
def db() -> Any:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


# --- the reserve -----------------------------------------------------------------------------------------------------


def test_the_reserve_is_taken_at_once_given_up_once_and_taken_again(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", 1000)
    assert (tmp_path / "reserve").stat().st_size == 1000
    assert reserve.release() and not reserve.release() and not (tmp_path / "reserve").exists()
    reserve.fill()

    assert (tmp_path / "reserve").stat().st_size == 1000


def test_a_reserve_is_not_taken_from_the_last_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1500}))
    Reserve(tmp_path / "reserve", 1000)

    assert not (tmp_path / "reserve").exists()


def test_the_databases_log_is_used_up_before_the_reserve_is(tmp_path: Path, db: sqlite3.Connection) -> None:
    reserve = Reserve(tmp_path / "reserve", 1000)
    assert reserve.insist(db, refusing(1)) == "written" and (tmp_path / "reserve").exists()
    assert reserve.insist(db, refusing(2)) == "written" and not (tmp_path / "reserve").exists()
    with pytest.raises(sqlite3.OperationalError, match="full"):
        reserve.insist(db, refusing(3))


def test_another_error_costs_no_reserve(tmp_path: Path, db: sqlite3.Connection) -> None:
    reserve = Reserve(tmp_path / "reserve", 1000)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        reserve.insist(db, refusing(1, sqlite3.OperationalError("database is locked")))

    assert (tmp_path / "reserve").exists()


# --- ends that are held ----------------------------------------------------------------------------------------------


def test_an_end_outlives_the_process_until_it_is_forgotten(tmp_path: Path) -> None:
    held = HeldEnds(tmp_path / "ends")
    held.hold("job-one", FULL)
    held.hold("job-two", End("finished", 6.0))
    held.forget("job-two")
    after = HeldEnds(tmp_path / "ends")

    assert after.jobs() == ["job-one"] and after.get("job-one") == FULL and "job-two" not in after


def test_holding_takes_no_room(tmp_path: Path) -> None:
    held = HeldEnds(tmp_path / "ends")
    size = (tmp_path / "ends").stat().st_size
    for number in range(SLOTS):
        held.hold(f"job-{number:03d}", FULL)

    assert (tmp_path / "ends").stat().st_size == size == SLOTS * SLOT_BYTES
    assert len(HeldEnds(tmp_path / "ends").jobs()) == SLOTS


def test_more_than_there_are_slots_are_held_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    held = HeldEnds(tmp_path / "ends")
    for number in range(SLOTS + 1):
        held.hold(f"job-{number:03d}", FULL)

    assert len(held.jobs()) == SLOTS + 1 and "kept in memory only" in caplog.text
    held.forget("job-000")
    held.hold("job-late", FULL)
    assert "job-late" in HeldEnds(tmp_path / "ends"), "a slot that was freed is used again"


@pytest.mark.parametrize("letter", ["x", "字", "\\", "\U0001f98a"])
def test_a_long_explanation_is_shortened_to_its_slot(letter: str, tmp_path: Path) -> None:
    held = HeldEnds(tmp_path / "ends")
    job = "j" * 64
    held.hold(job, End("failed", 5.0, 1.5, Failure("disk-full", letter * 3000, letter * 3000), (letter * 3000,)))
    assert (told := held.get(job)) is not None and told.failure is not None
    assert told.failure.message == letter * 3000, "in this process it is as it was told"
    after = HeldEnds(tmp_path / "ends").get(job)

    assert after is not None and after.failure is not None
    assert (after.state, after.failure.code) == ("failed", "disk-full") and len(after.failure.message) < 3000


def test_a_slot_that_was_written_in_part_hides_no_other(tmp_path: Path) -> None:
    held = HeldEnds(tmp_path / "ends")
    held.hold("job-one", FULL)
    held.hold("job-two", FULL)
    with open(tmp_path / "ends", "r+b") as file:
        file.write(b'{"job": "job-o\x00\x00')

    assert HeldEnds(tmp_path / "ends").jobs() == ["job-two"]


def test_without_a_file_ends_are_held_in_memory(tmp_path: Path) -> None:
    held = HeldEnds(tmp_path / "no-such-folder" / "ends")
    held.hold("job-one", FULL)

    assert held.get("job-one") == FULL
