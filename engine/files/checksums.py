"""Checksums of files: what those of weights were when they were first used, and what was found wrong with their values.

Knows bytes, and a JSON file of its own; knows no tensor. Losing that file forgets, and breaks nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..values.errors import ModelBroken, ValuesBroken
from .foreign_model_folders import vae_beside
from .json_files import read_json, write_json


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of the file at `path`, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FirstUse:
    """A JSON file in the folder of settings."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def look(self, files: Iterable[Path]) -> tuple[str, ...]:
        """Remember files that are new or were replaced; what a person should know of those that are no longer what they were."""
        known, notes = self._known(), []
        changed = False
        for path in files:
            before, stamp = known.get(str(path)), _stamp(path)
            if before is not None and before["stamp"] == stamp and "sha256" in before:
                continue
            changed, checksum = True, sha256_of(path)
            if before is not None and before.get("sha256", checksum) != checksum:
                notes.append(f"{path.name} is not the file that was first used on {before['used']}: its content has changed")
                before = None
            used = before["used"] if before is not None else _today()
            known[str(path)] = {"stamp": stamp, "sha256": checksum, "used": used}
        if changed:
            self._write(known)
        return tuple(notes)

    def condemn(self, error: ValuesBroken) -> None:
        """Remember what is wrong with the values of a file, as long as it stays the same."""
        known, path = self._known(), str(error.path)
        now = {"stamp": _stamp(error.path), "problem": str(error), "replaceable": error.replaceable}
        known[path] = {"used": _today(), **known.get(path, {}), **now}
        self._write(known)

    def problems(self) -> dict[Path, str]:
        """The files that were found wrong, are still the same, and have nothing next to them in place of the damaged part."""
        found = {Path(path): entry for path, entry in self._known().items() if "problem" in entry}
        return {
            path: entry["problem"]
            for path, entry in found.items()
            if path.exists() and _stamp(path) == entry["stamp"] and not (entry["replaceable"] and vae_beside(path).is_file())
        }

    def differing(self) -> Iterator[tuple[Path, bool]]:
        """Every file that was used and is still there, and whether its content is another now; reads all of it."""
        for name, entry in self._known().items():
            path = Path(name)
            if "sha256" in entry and path.is_file():
                yield path, sha256_of(path) != entry["sha256"]

    def _known(self) -> dict[str, dict[str, Any]]:
        try:
            found = read_json(self._path)
        except ModelBroken:
            return {}
        return {path: entry for path, entry in found.items() if isinstance(entry, dict) and {"stamp", "used"} <= entry.keys()}

    def _write(self, known: dict[str, dict[str, Any]]) -> None:
        """Write what is known; a folder that cannot be written only costs that it is looked at again."""
        try:
            write_json(self._path, known)
        except OSError:
            return


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
