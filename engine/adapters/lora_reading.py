"""What a LoRA changes in a base model, and what of it has no place there, from names and shapes alone.

Knows keys, kinds and structures; reads no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..families.base import Header
from ..families.structure import Shape, Structure
from .lora_keys import LoraKeys, sort_keys
from .lora_kinds import DECOMPOSED, LORA, LoraKind, Size, fits, is_empty, kinds_of
from .lora_names import Layer, spellings
from .noted_scales import NotedScales

MENTIONED = 3
"""How many layers without a place are named."""


@dataclass(frozen=True)
class Change:
    """One parameter's change."""

    layer: Layer
    kind: LoraKind
    keys: Mapping[str, str]
    """Part -> key."""
    shapes: Mapping[str, Shape]
    """Part -> shape."""
    parameter: Shape
    """Shape of the parameter as the LoRA sees it: an embedding's is transposed."""
    scale: float | None = None
    """What it is multiplied by, where no tensor but a configuration says it."""

    @property
    def name(self) -> str:
        """The parameter, as `Structure` names it."""
        return f"{self.layer[1]}.{self.kind.parameter}"

    @property
    def transposed(self) -> bool:
        """Whether the change is of the transposed parameter."""
        return self.kind is LORA and self.layer[1].startswith("embeddings.")


@dataclass(frozen=True)
class Misfit:
    """A change of another size than the parameter it is for."""

    spelled: str
    path: str
    size: Size
    parameter: Shape

    def __str__(self) -> str:
        if self.size is None:
            return f"{self.spelled} (its parts do not belong together)"
        return f"{self.spelled} ({' x '.join(map(str, self.size))}; {' x '.join(map(str, self.parameter))})"


@dataclass(frozen=True)
class LoraReading:
    """A LoRA compared with a base model."""

    changes: Sequence[Change] = ()
    embeddings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Embeddings that were trained with it: name -> part -> key."""
    layers: int = 0
    """Layers that the file has anything for."""
    used: int = 0
    """Layers of them that are changed."""
    unplaced: Sequence[str] = ()
    """Spellings and keys that mean nothing here."""
    misfits: Sequence[Misfit] = ()
    """Changes of other sizes."""
    incomplete: Sequence[str] = ()
    """Layers whose parts make no change of a known kind."""
    empty: Sequence[str] = ()
    """Layers whose parts hold no values."""

    @property
    def kinds(self) -> list[str]:
        """The kinds of its changes: `LoHa`, `DoRA`."""
        names = dict.fromkeys(change.kind.name for change in self.changes if change.kind.parameter == "weight")
        return [*names, *(["DoRA"] if any(DECOMPOSED & change.keys.keys() for change in self.changes) else [])]

    @property
    def other_text_width(self) -> int:
        """The width of the text embeddings that it was trained to read, where this model's is another; else 0."""
        reading = (misfit for misfit in self.misfits if misfit.size and re.search(r"attn2\.to_[kv]", misfit.path))
        return next((m.size[1] for m in reading if m.size and m.size[0] == m.parameter[0] and m.size[1] != m.parameter[1]), 0)

    @cached_property
    def note(self) -> str:
        """What is left out, as a sentence; empty where all is used."""
        reasons = (
            (self.unplaced, "no place here"),
            ([str(misfit) for misfit in self.misfits], "another size here"),
            (self.incomplete, "parts that make no change of a known kind"),
            (self.empty, "no values (rank 0)"),
        )
        said = [f"{_some(names)} {'have' if len(names) > 1 else 'has'} {reason}" for names, reason in reasons if names]
        return f"used {self.used} of {self.layers} layers; {'; '.join(said)}" if said else ""

    @property
    def problem(self) -> str:
        """Why nothing can be used; empty where anything can."""
        if self.changes or self.embeddings:
            return ""
        if self.empty:
            return "it is empty: its tensors hold no values (rank 0)"
        if self.misfits:
            return f"its layers have other sizes than this model's: {_some([str(misfit) for misfit in self.misfits])}"
        if self.incomplete and not self.unplaced:
            return f"its layers are incomplete: {_some(self.incomplete)}"
        if not self.unplaced:
            return "it has no tensors"
        return f"this model has no place for any of its layers: {_some([*self.unplaced, *self.incomplete])}"


def read(
    header: Header, structure: Structure, config: Mapping[str, Any] | None = None, keys: LoraKeys | None = None
) -> LoraReading:
    """Compare the LoRA with this header with a base model of this structure.

    `config` is PEFT's, from the file beside it; `keys` are the header's, where they have been sorted before.
    """
    keys = keys or sort_keys(header.tensors)
    reader = _Reader(header, structure, keys, NotedScales(header.metadata, config or {}))
    changes = list(reader.changes())
    return LoraReading(
        changes=changes,
        embeddings=keys.embeddings,
        layers=len(keys.layers),
        used=len({change.layer for change in changes}),
        unplaced=[*reader.unplaced, *keys.strange],
        misfits=reader.misfits,
        incomplete=reader.incomplete,
        empty=reader.empty,
    )


class _Reader:
    def __init__(self, header: Header, structure: Structure, keys: LoraKeys, scales: NotedScales) -> None:
        self._header, self._structure, self._keys, self._scales = header, structure, keys, scales
        self.unplaced: list[str] = []
        self.misfits: list[Misfit] = []
        self.incomplete: list[str] = []
        self.empty: list[str] = []

    def changes(self) -> Iterator[Change]:
        names = spellings(self._structure)
        for spelled, keys in self._keys.layers.items():
            layer = names.layer(spelled)
            if layer is None:
                self.unplaced.append(spelled)
                continue
            kinds = kinds_of(keys.keys())
            heeded = {part for kind in kinds for part in (kind.needs | kind.may_have)}
            if useless := sorted(key.removeprefix(f"{spelled}.") for part, key in keys.items() if part not in heeded):
                self.incomplete.append(f"{spelled} ({', '.join(useless)})")
            for kind in kinds:
                if (change := self._change(spelled, layer, kind, keys)) is not None:
                    yield change

    def _change(self, spelled: str, layer: Layer, kind: LoraKind, keys: Mapping[str, str]) -> Change | None:
        parts = {part: key for part, key in keys.items() if part in kind.needs | kind.may_have}
        shapes = {part: self._header.shape(key) for part, key in parts.items()}
        network, path = layer
        own = self._structure.networks[network].get(f"{path}.{kind.parameter}")
        if own is None:
            self.unplaced.append(f"{spelled}.{kind.parameter}")
            return None
        rank = next((shapes[part][0] for part in ("down", "hada_w1_b", "lokr_w2_b", "lokr_w1_b") if shapes.get(part)), 1)
        scaled = "alpha" in kind.may_have and "alpha" not in parts
        scale = self._scales.scale(layer, rank) if scaled else None
        change = Change(layer, kind, parts, shapes, own, scale)
        if change.transposed:
            change = replace(change, parameter=own[::-1])
        if is_empty(shapes):
            self.empty.append(spelled)
        elif not fits(kind, shapes, change.parameter):
            self.misfits.append(Misfit(spelled, path, kind.size(shapes, change.parameter), own))
        else:
            return change
        return None


def _some(names: Sequence[str]) -> str:
    more = len(names) - MENTIONED
    return ", ".join(names[:MENTIONED]) + (f" and {more} more" if more > 0 else "")
