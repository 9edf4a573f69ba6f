"""What has to go: history and uploads beyond their limits, oldest first. Knows the limits and the rows; deletes nothing."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

OVER = "state IN ('finished', 'failed', 'cancelled')"
UNUSED = (
    "NOT EXISTS (SELECT 1 FROM layers l WHERE l.sha256 = b.sha256)"
    " AND NOT EXISTS (SELECT 1 FROM inputs i WHERE i.sha256 = b.sha256)"
    " AND NOT EXISTS (SELECT 1 FROM files f WHERE f.sha256 = b.sha256)"
)
"""The condition that nothing refers to a row `b` of `blobs`."""

UNSTARRED = "NOT EXISTS (SELECT 1 FROM layers s WHERE s.job = jobs.job AND s.starred)"
"""The condition that no picture of a job is marked: a person wants to keep those."""

EVER = float("inf")


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What is kept; times are seconds since 1970."""

    history_bytes: float
    """All jobs that are over. Those that were acknowledged go first, and those of `unacknowledged_before` count as such; a
    marked picture keeps its job."""
    upload_bytes: float
    unacknowledged_bytes: float = EVER
    """The results that no client has acknowledged: beyond this the oldest of them go."""
    unacknowledged_before: float = 0
    fresh_after: float = EVER
    """Uploads of after this time stay for their submit, within twice the limit."""
    recent_after: float = EVER
    """Results of after this time stay in any case if their client is connected: it may be taking them."""
    documents_before: float = 0
    """Imports and exports of before this time go: they are kept for a client that reconnects, not as history."""
    connected: frozenset[str] = frozenset()
    """The sessions whose clients are connected."""


def documents_to_go(db: sqlite3.Connection, kept: Retention) -> list[str]:
    """The imports and exports of some time ago."""
    old = "SELECT job FROM jobs WHERE lane = 'documents' AND finished < ?"
    return [job for (job,) in db.execute(old, (kept.documents_before,))]


def history_to_go(db: sqlite3.Connection, kept: Retention) -> list[str]:
    """The oldest jobs beyond the limits."""
    left = f"{OVER} AND NOT acknowledged AND finished >= ?1"
    excess = _total(db, left, kept.unacknowledged_before) - kept.unacknowledged_bytes
    spared = "finished > ?2 AND session IN (SELECT value FROM json_each(?3))"
    values = (kept.unacknowledged_before, kept.recent_after, json.dumps(sorted(kept.connected)))
    going = _oldest(db, f"{left} AND NOT ({spared}) AND {UNSTARRED}", values, excess)
    excess = _total(db, f"{OVER} AND ?1 IS NOT NULL", 0) - sum(size for _, size in going) - kept.history_bytes
    going += _oldest(db, f"{OVER} AND (acknowledged OR finished < ?1) AND {UNSTARRED}", (kept.unacknowledged_before,), excess)
    return [job for job, _ in going]


def uploads_to_go(db: sqlite3.Connection, kept: Retention) -> list[str]:
    """Uploads that no job refers to and that newer ones have used up the limit for: twice the limit for fresh ones."""
    rows = db.execute(f"SELECT sha256, bytes, used FROM blobs b WHERE uploaded AND {UNUSED} ORDER BY used DESC")
    total, gone = 0, []
    for sha256, size, used in rows.fetchall():
        total += size
        if total > (2 * kept.upload_bytes if used > kept.fresh_after else kept.upload_bytes):
            gone.append(sha256)
    return gone


def _total(db: sqlite3.Connection, condition: str, value: float) -> float:
    (total,) = db.execute(f"SELECT COALESCE(SUM(bytes), 0) FROM jobs WHERE {condition}", (value,)).fetchone()
    return float(total)


def _oldest(db: sqlite3.Connection, condition: str, values: tuple[Any, ...], excess: float) -> list[tuple[str, int]]:
    """As many of the oldest jobs, with their sizes, as it takes to get rid of the excess."""
    gone: list[tuple[str, int]] = []
    if excess <= 0:
        return gone
    for job, size in db.execute(f"SELECT job, bytes FROM jobs WHERE {condition} ORDER BY number", values):
        gone.append((job, size))
        excess -= size
        if excess <= 0:
            break
    return gone
