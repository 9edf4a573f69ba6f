"""What files are and their checksums, remembered as long as their size and time do not change."""

from __future__ import annotations

import dataclasses
import zipfile
import zlib
from pathlib import Path
from typing import Any

from .. import checkpoints, families
from ..adapters import verdicts
from ..values.errors import ModelBroken, ModelMissing
from . import recognition
from .checksums import sha256_of
from .foreign_model_folders import PICKLED
from .json_files import read_json, write_json
from .recognition import Kind, recognise

SOURCES = (
    Path(recognition.__file__),
    *sorted(Path(families.__file__).parent.glob("*.py")),
    *sorted(Path(checkpoints.__file__).parent.glob("*.py")),
    *sorted(Path(verdicts.__file__).parent.glob("*.py")),
)
RULES = zlib.crc32(b"".join(path.read_bytes() for path in SOURCES))
"""Changes with the rules of recognition, so that what an older version thought of a file is forgotten."""


DAMAGED = "a damaged file"


class HeaderCache:
    """A JSON file in the folder of what can be computed again; losing it costs a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = self._load()
        self._changed = False

    def kind(self, path: Path) -> Kind:
        """What the file or diffusers folder at `path` is; a damaged one is of role `other`, with the damage as its problem."""
        _, *stamp = stamp_of(path)
        beside = _stamp_beside(path)
        entry = self._entries.get(str(path))
        if entry is None or entry["stamp"] != stamp:
            entry = {"stamp": stamp}
        elif "kind" in entry and entry.get("beside") == beside:
            known: dict[str, Any] = entry["kind"]
            return Kind(**{**known, "triggers": tuple(known["triggers"])})  # JSON has lists only
        kind = _look(path)
        self._entries[str(path)] = {**entry, "kind": dataclasses.asdict(kind), "beside": beside}
        self._changed = True
        return kind

    def sha256(self, path: Path) -> str:
        """The checksum of the file at `path`."""
        entry = self._entries.get(str(path))
        stamp = _stamp(path)
        if entry is None or entry["stamp"] != stamp:
            entry = self._entries[str(path)] = {"stamp": stamp}
        if "sha256" not in entry:
            entry["sha256"] = sha256_of(path)
            self._changed = True
            self.save()
        return str(entry["sha256"])

    def save(self) -> None:
        """Write what was learnt; a folder that cannot be written only costs time."""
        if not self._changed:
            return
        try:
            write_json(self._path, {"rules": RULES, "files": self._entries})
        except OSError:
            return
        self._changed = False

    def _load(self) -> dict[str, dict[str, Any]]:
        try:
            content = read_json(self._path)
        except ModelBroken:
            return {}
        files = content.get("files")
        return files if content.get("rules") == RULES and isinstance(files, dict) else {}


def stamp_of(path: Path) -> tuple[str, int, int]:
    """The name, size and time of a file, or those of a diffusers folder's list of parts: others mean another content.

    What is gone meanwhile has neither.
    """
    try:
        size, changed = _stamp(path / "model_index.json" if path.is_dir() else path)
    except FileNotFoundError:
        size, changed = 0, 0
    return str(path), size, changed


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _stamp_beside(path: Path) -> list[int] | None:
    """The stamp of the YAML that may say what a checkpoint predicts."""
    try:
        return _stamp(path.with_suffix(".yaml"))
    except OSError:
        return None


def _look_from_outside(path: Path) -> Kind:
    """A pickled upscaler is not opened for a list: torch's zip has its directory at the end, older pickles say what they are."""
    with path.open("rb") as file:
        begins = file.read(2)
    if zipfile.is_zipfile(path) if begins == b"PK" else begins[:1] == b"\x80":
        return Kind("upscaler", None, "an upscaler")
    return Kind("other", None, DAMAGED, f"{path.name} is truncated or corrupt")


def _look(path: Path) -> Kind:
    if path.suffix.lower() == ".pth":
        return _look_from_outside(path)
    if path.suffix.lower() == ".ckpt":
        return Kind("other", None, "a pickled checkpoint", "it can run code when it is opened; convert it to .safetensors")
    if path.suffix.lower() in PICKLED:
        return Kind("other", None, "a pickled file", "it can run code when it is opened; convert it to .safetensors")
    try:
        return recognise(path)
    except (ModelBroken, ModelMissing) as error:
        return Kind("other", None, DAMAGED, str(error))
