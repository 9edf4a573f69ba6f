"""Every weight file that the program knows: where it is, what it must be bit for bit, what it is for, under which licence.

Knows facts; downloads nothing. Sizes and checksums are those of the hub's own file pointers.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files

from ..families import BASE_FAMILIES, FamilyName
from ..families.few_steps import ROLE as FAST_LORA


@dataclass(frozen=True, kw_only=True)
class CatalogueRow:
    """One file of the hub."""

    name: str
    """The name that `acetate models pull` takes."""
    repo: str
    file: str
    family: FamilyName
    role: str
    """`checkpoint`, or what a family's recipes and the engine call LayerDiffuse's weights and networks."""
    licence: str
    """SPDX-like name of the licence that the repository states."""
    licence_url: str
    hub_file: str = ""
    """What the hub calls it, where that is not `file`: a name that many repositories give to their one file."""
    bytes: int | None = None
    """`None` where the size was not stated anywhere we could read; the hub's own answer counts then."""
    sha256: str | None = None
    """Hexadecimal; `None` as with `bytes`."""
    revision: str = "main"
    preferred: bool = True
    """Taken when a task needs this family and role and several files could serve."""
    offset_factor: float = 1.0
    """Encoders only: the `k` that their offset is multiplied by (layerdiffuse.md 3.3).

    300 for SDXL's one encoder file, as the author's diffusers code has it; his earlier Forge code had 1 and he called that
    offset weak. For SD 1.5 there is only the earlier code.
    """

    @property
    def folder(self) -> str:
        """The subfolder of a models folder, as ComfyUI and Forge name it."""
        return {"checkpoint": "checkpoints", FAST_LORA: "loras"}.get(self.role, "layer_model")

    @property
    def url(self) -> str:
        """Its page, at the mirror that `HF_ENDPOINT` names if any."""
        return f"{os.environ.get('HF_ENDPOINT') or 'https://huggingface.co'}".rstrip("/") + f"/{self.repo}"


def _read() -> tuple[CatalogueRow, ...]:
    text = (files("acetate.engine") / "data" / "catalogue.toml").read_text(encoding="utf-8")
    return tuple(CatalogueRow(**row) for row in tomllib.loads(text)["row"])


ROWS = _read()


def named(name: str) -> tuple[CatalogueRow, ...]:
    """The rows that `name` means: a row's name or file, or a family for its `essential` files; none for an unknown name."""
    if name in BASE_FAMILIES:
        return tuple(row for row in preferred() if row.family == name and row.role in BASE_FAMILIES[name].essential)
    return tuple(row for row in ROWS if name in (row.name, row.file, row.file.removesuffix(".safetensors")))[:1]


def candidates(family: str, role: str) -> tuple[CatalogueRow, ...]:
    """The files that can serve a family in a role, the preferred one first."""
    return tuple(sorted((row for row in ROWS if (row.family, row.role) == (family, role)), key=lambda row: not row.preferred))


def by_file(file: str) -> CatalogueRow | None:
    """The row of a file with this name."""
    return next((row for row in ROWS if row.file == file), None)


def preferred(rows: Iterable[CatalogueRow] = ROWS) -> Iterator[CatalogueRow]:
    """The rows that a download takes when several files could serve."""
    return (row for row in rows if row.preferred)
