"""The layered files of a folder: which of them were saved since they were looked at, and are at rest. Knows no layers.

Looking at the times of files is all it takes, and finds what events would miss: files on another computer's disk.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from acetate.vocabulary.layered_files import LAYERED

KEPT = 10_000
"""Files of which the record knows that they hold their answers."""

Stamp = tuple[int, int]
"""Time of the last change in nanoseconds, and bytes: what a save changes."""


def stamp(path: Path) -> Stamp:
    """The stamp of a file as it is now. Raises `OSError`."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size


class Folder:
    """A folder with all that lies in it, and what is known of its files."""

    def __init__(self, path: Path, record: Path) -> None:
        """`record` is the file that keeps which files hold their answers, so that the next start does not answer them again."""
        self.path = path.resolve()
        self._record = record
        self._answered = self._recorded()
        self._done: dict[Path, Stamp] = {}
        self._last: dict[Path, Stamp] = {}

    def saved(self, *, at_rest: bool = True) -> list[Path]:
        """The files that were saved since they were done with, in order of their names.

        One that is still being written is left for the next look: it is `at_rest` when it has not changed between two.
        """
        now = dict(self._files())
        found = sorted(path for path in now if not at_rest or self._last.get(path) == now[path])
        self._last = now
        return [path for path in found if now[path] not in (self._done.get(path), self._answered.get(path))]

    def done(self, path: Path, seen: Stamp) -> None:
        """Leave a file alone until it is saved again after it was `seen`."""
        self._done[path] = seen

    def answered(self, path: Path, written: Stamp) -> None:
        """Leave a file alone as it was `written`, in later runs too. Raises `OSError` where that cannot be kept."""
        self._last[path] = written
        self._answered = {**self._recorded(), path: written}  # another folder may be watched meanwhile
        newest = list(self._answered.items())[-KEPT:]
        self._record.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._record.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps({str(known): seen for known, seen in newest}), encoding="utf-8")
        temporary.replace(self._record)

    def _recorded(self) -> dict[Path, Stamp]:
        try:
            kept = json.loads(self._record.read_text(encoding="utf-8"))
            return {Path(path): (int(seen[0]), int(seen[1])) for path, seen in kept.items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):  # none yet, or a damaged one: asked again
            return {}

    def _files(self) -> Iterator[tuple[Path, Stamp]]:
        for folder, names, files in os.walk(self.path):
            names[:] = [name for name in names if not name.startswith(".")]
            for name in files:
                path = Path(folder, name)
                if path.suffix.lower() in LAYERED and not name.startswith("."):
                    with contextlib.suppress(OSError):  # gone since it was listed
                        if stat.S_ISREG(path.stat().st_mode):
                            yield path, stamp(path)
