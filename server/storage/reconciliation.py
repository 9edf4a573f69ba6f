"""At a start: database, records and blobs brought together, none of them believed alone. Deletes only what was lost for long."""

from __future__ import annotations

import logging

from .blobs import Blobs
from .records import Record
from .store import Store

log = logging.getLogger(__name__)

MOST_NEW_RECORDS = 500
"""How many jobs of before there were records get theirs at a start."""


def reconcile(store: Store, blobs: Blobs, lost_seconds: float) -> None:
    """Bring back what only records know, put what nothing knows to the lost and found, and delete what lay there for too long."""
    restored = _restore(store, blobs)
    known, there = store.known_blobs(), blobs.all()
    found = [sha256 for sha256 in known & blobs.lost() if blobs.find(sha256)]
    unknown = there - known
    for sha256 in unknown:
        blobs.lose(sha256)
    expired = blobs.expire(lost_seconds)
    if restored or unknown or found or expired:
        counts = {"restored": restored, "found": len(found), "lost": len(unknown), "expired": expired}
        log.warning("database and blobs did not agree", extra=counts)
    if restored:
        store.notices.append(f"{restored} jobs that the database did not know were restored from their records.")


def _restore(store: Store, blobs: Blobs) -> int:
    """Restore the jobs whose records say more than the database, after a damaged one all of them; write records that lack."""
    states, recorded = store.states(), store.records.jobs()
    restored = 0
    for job in recorded:
        if store.was_damaged or states.get(job, "waiting") in ("waiting", "running"):
            record = store.records.read(job)
            if record is not None and (job in states or _is_worth_it(record, blobs)):
                store.restore(record)
                restored += states.get(job) not in ("finished", "failed", "cancelled")
    over = [job for job, state in states.items() if state not in ("waiting", "running") and job not in recorded]
    for job in over[-MOST_NEW_RECORDS:]:
        store.record(job)
    return restored


def _is_worth_it(record: Record, blobs: Blobs) -> bool:
    """Whether any of the job's pixels are there; a job without any has only its end to tell."""
    names = [str(row["sha256"]) for row in record.get("blobs", ())]
    return not names or any(blobs.has(name) for name in names)
