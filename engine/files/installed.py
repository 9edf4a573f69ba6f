"""One installed file: what requests call it, what it is, and what it lacks. Knows no disk and no other file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..families import Family, FamilyName
from .catalogue import CatalogueRow
from .foreign_model_folders import names_of
from .gguf_headers import SUFFIX as GGUF
from .header_cache import DAMAGED
from .recognition import Kind


@dataclass(frozen=True)
class Installed:
    """One installed file, or one diffusers folder."""

    name: str
    """What requests call it: the file's name without its ending; with the folder in front where that was taken."""
    path: Path
    kind: Kind
    row: CatalogueRow | None = None
    """What the catalogue says of a file with this name; it is needed to tell the families' decoders apart."""

    wanting: str = ""
    """What it needs from other files and no installed one has; empty where nothing is missing."""
    hint: str = ""
    """How that can be helped."""

    @property
    def problem(self) -> str:
        """Why it cannot be used; empty where it can."""
        return self.kind.problem or self.wanting

    @property
    def family(self) -> FamilyName | None:
        return self.row.family if self.row is not None else self.kind.family

    def is_called(self, name: str) -> bool:
        """Whether `name` means it: its own, or its file's, also with folders of its in front."""
        if name in (self.name, self.path.name.removesuffix(".safetensors").removesuffix(GGUF)):
            return True
        return "/" in name and name in names_of(self.path)

    def suits(self, family: Family | None) -> bool:
        """Whether it belongs to models of `family`; a LoRA may fit several, and then only its keys tell."""
        several = self.kind.role == "lora" and self.kind.family is None and not self.kind.problem
        return family is None or several or family.name == self.family

    @property
    def described(self) -> dict[str, Any]:
        """What listings say of it, as plain JSON values; only where it lies is left to those of this machine."""
        kind = self.kind
        return {
            "name": self.name,
            "role": kind.role,
            "family": self.family,
            "what": kind.what,
            "problem": self.problem,
            "caution": kind.caution,
            **({"triggers": list(kind.triggers)} if kind.triggers else {}),
        }

    @property
    def refusal(self) -> str:
        """What it is and why it cannot be used, as a sentence; empty where it can."""
        if not self.problem:
            return ""
        return f"{self.path.name} {'' if self.kind.what == DAMAGED else 'is '}{self.verdict.removeprefix(f'{DAMAGED} and ')}"

    @property
    def verdict(self) -> str:
        """What it is, and why it cannot be used or what to expect of it, as the end of a sentence."""
        if self.problem:
            return f"{self.kind.what} and cannot be used: {self.problem}"
        return f"{self.kind.what}; caution: {self.kind.caution}" if self.kind.caution else self.kind.what
