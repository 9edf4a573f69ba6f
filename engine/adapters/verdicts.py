"""What an artist's addition is and whether it can be used, in the words that a listing and a refusal share.

Knows the families' structures; opens no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..families import BASE_FAMILIES, TITLES, FamilyName
from ..families.base import Header
from ..families.structure import Structure
from . import bases
from .embeddings import OTHER_WIDTHS, EmbeddingReading, read_embedding
from .lora_keys import is_lora, sort_keys
from .lora_reading import LoraReading, read

Structures = Mapping[FamilyName, Structure]
_READS = {1024: "SD 2", 1280: "the SDXL refiner"}
"""Width of the text embeddings that a LoRA reads -> what else has layers of a family's names."""
_ONLY = f"only LoRAs for {TITLES} can be used"


@dataclass(frozen=True)
class Verdict:
    """What a LoRA or embedding is."""

    family: FamilyName | None
    """The base models that it is for; `None` where it cannot be used, or fits several."""
    what: str
    """Words for a sentence: `a LoRA for SDXL`."""
    problem: str = ""
    """Why it cannot be used; empty where it can."""
    caution: str = ""
    """What is left out of it, or why it may disappoint."""


def of_lora(header: Header, structures: Structures) -> Verdict | None:
    """The verdict on a LoRA of any kind; `None` for a file of another kind."""
    if not is_lora(header.tensors):
        return None
    if "lora_controlnet" in header.tensors:
        return Verdict(None, "a Control-LoRA", "a Control-LoRA is not supported")
    if any(".vera_lambda" in key for key in header.tensors):
        return Verdict(None, "a VeRA file", "a VeRA file is not supported: it scales random matrices that it does not hold")
    keys = sort_keys(header.tensors)
    readings = {family: read(header, structure, keys=keys) for family, structure in structures.items()}
    best = max(reading.used for reading in readings.values())
    fitting = [family for family, reading in readings.items() if reading.used == best]
    family = fitting[0] if len(fitting) == 1 else _told_apart(header, fitting)
    reading = readings[family or max(fitting, key=lambda name: -len(readings[name].unplaced))]
    if other := _READS.get(reading.other_text_width):
        return Verdict(None, f"a LoRA for {other}", _ONLY)
    if best == 0:
        return _unusable(header, readings)
    title = _titles([family] if family else fitting)
    widths = {structures[name].text_widths for name in ([family] if family else fitting)}
    fitting_here, unfitting = _embeddings(header, reading, widths)
    what = f"a LoRA for {title}{_kinds(reading)}{fitting_here}"
    said = (reading.note, line_caution(header, ""), *unfitting)
    return Verdict(family, what, caution="; ".join(filter(None, said)))


def of_embedding(header: Header, structures: Structures) -> Verdict | None:
    """The verdict on an embedding; `None` for a file of another kind."""
    own = {width for structure in structures.values() for width in structure.text_widths}
    reading = read_embedding({key: header.shape(key) for key in header.tensors}, own | OTHER_WIDTHS.keys())
    if reading is None:
        return None
    for family, structure in structures.items():
        if not reading.problem(structure.text_widths):
            return Verdict(family, f"an embedding for {BASE_FAMILIES[family].title}, {_vectors(reading)}")
    what = f"an embedding for {reading.other_base}" if reading.other_base else "a textual inversion embedding"
    widths = " and ".join(map(str, reading.widths.values()))
    wanted = "; ".join(f"{BASE_FAMILIES[name].title}: {' and '.join(map(str, s.text_widths))}" for name, s in structures.items())
    return Verdict(None, what, f"its vectors have width {widths}, those of a model's text encoders are {wanted}")


def line_caution(header: Header, model: str) -> str:
    """That the file was made with another line of retrained models than `model`; empty where neither's name tells."""
    line = bases.line(header)
    if not line or line == bases.line_of_checkpoint(model):
        return ""
    return f"it was made with {line}: other checkpoints than those of that line may not follow it"


def _unusable(header: Header, readings: Mapping[FamilyName, LoraReading]) -> Verdict:
    """Of the family whose names it has most of, unless it is known to be for something else."""
    if other := bases.other_base(header):
        return Verdict(None, f"a LoRA for {other}", _ONLY)
    placed = {family: reading.layers - len(reading.unplaced) for family, reading in readings.items()}
    most = max(placed.values())
    if most <= 0 and any(reading.embeddings for reading in readings.values()):
        return Verdict(None, "a file of embeddings of a LoRA", "it changes no layer")
    if most <= 0:
        return Verdict(None, "a LoRA for another kind of model", _ONLY)
    closest = [family for family in readings if placed[family] == most]
    family = closest[0] if len(closest) == 1 else _told_apart(header, closest)
    return Verdict(family, f"a LoRA for {_titles([family] if family else closest)}", readings[family or closest[0]].problem)


def _titles(families: list[FamilyName]) -> str:
    return " or ".join(BASE_FAMILIES[name].title for name in families)


def _told_apart(header: Header, fitting: list[FamilyName]) -> FamilyName | None:
    """The family of several that fit alike: by its spelling of text encoders, or by what the trainer noted."""
    families = [BASE_FAMILIES[name] for name in fitting]
    by_key = [family for family in families if any(family.lora_key.match(key) for key in header.tensors)]
    by_note = [family for family in families if bases.noted(header, family.lora_noted)]
    return next((found[0].name for found in (by_key, by_note) if len(found) == 1), None)


def _kinds(reading: LoraReading) -> str:
    return "" if reading.kinds in ([], ["LoRA"]) else f" ({', '.join(reading.kinds)})"


def _embeddings(header: Header, reading: LoraReading, widths: set[tuple[int, ...]]) -> tuple[str, list[str]]:
    """The embeddings in a LoRA for text encoders of any of these widths, and what is said of those that fit none of them."""
    fitting, unfitting = [], []
    for name, parts in reading.embeddings.items():
        one = read_embedding({part: header.shape(key) for part, key in parts.items()})
        problems = [one.problem(width) for width in widths] if one else ["it is of no known kind"]
        if one and not all(problems):
            fitting.append(f"{name!r}, {_vectors(one)}")
        else:
            unfitting.append(f"its embedding {name!r} cannot be used: {problems[0]}")
    return (f" with the embedding {' and '.join(fitting)}" if fitting else ""), unfitting


def _vectors(reading: EmbeddingReading) -> str:
    return f"{reading.vectors} vector{'s' if reading.vectors > 1 else ''}"
