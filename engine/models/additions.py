"""The LoRAs and embeddings of a request, found and looked through before a model is opened.

Knows the library, files and a base model's structure; knows no open network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..adapters.verdicts import line_caution
from ..families import BaseFamily, Family
from ..families.structure import Structure
from ..files.foreign_model_folders import PICKLED
from ..files.headers import read_header
from ..files.installed import Installed
from ..files.library import Library
from ..files.structures import structure_of
from ..prompt_language.embedding_mentions import missing_embeddings, split_mentions
from ..prompt_language.emphasis import fragments
from ..values.lora_tag import LoraTag
from ..values.request import Request
from ..weights.lora_files import check_lora
from ..weights.lora_strength import misnamed
from .embeddings import Embedding, open_bundled, open_embedding


@dataclass(frozen=True)
class Additions:
    """What a request adds to its model."""

    embeddings: Mapping[str, Embedding] = field(default_factory=dict)
    """Those that its prompts name."""
    notes: tuple[str, ...] = ()
    """What a person should know of it."""


_OTHER_BLOCKS = "LoRA {!r}: {} block weights are for another kind of model, and some of its blocks keep the UNet's weight"


def additions(requests: Sequence[Request], family: Family, model: Path, library: Library) -> Additions:
    """Look at every LoRA and embedding of requests that differ in words and LoRAs, for the checkpoint or folder `model`.

    Raises `ModelMissing` for a LoRA that is not installed, `BadRequest` for one of another family, and `ModelBroken` for a file
    that is damaged or of which nothing fits.
    """
    tags = [LoraTag.of(entry) for request in requests for entry in request.loras]
    paths = {tag.name: library.lora(family, tag.name).path for tag in tags}
    texts = [text for request in requests for text in (request.prompt, request.negative_prompt, *request.prompts.values())]
    if not isinstance(family, BaseFamily):
        return Additions(notes=tuple(_left_out(texts, {}, f"{family.name} models take none")))
    structure = structure_of(family, model if model.is_dir() else None)
    notes = [note for name, path in paths.items() for note in _notes_of_lora(name, path, structure, model.stem)]
    notes += [_OTHER_BLOCKS.format(tag.name, len(tag.block_weights)) for tag in tags if misnamed(tag, structure)]
    bundled: dict[str, Embedding] = {}
    for name, path in paths.items():
        found, problems = open_bundled(path, structure.text_widths)
        bundled |= found
        notes += [f"LoRA {name!r}: its embedding {embedding!r} was not used: {why}" for embedding, why in problems.items()]
    everything = [one for one in library.installed() if one.kind.role == "embedding" or one.path.suffix.lower() in PICKLED]
    usable = {one.name: one.path for one in everything if one.family == family.name and not one.kind.problem}
    named = _named(texts, {**usable, **bundled})
    used = {name: bundled[name] if name in bundled else open_embedding(usable[name], structure.text_widths) for name in named}
    foreign = {one.name: one for one in everything if one.name not in usable}
    notes += _foreign(texts, foreign, family)
    notes += _left_out(texts, {**usable, **bundled, **foreign}, "it is not installed")
    return Additions(used, tuple(dict.fromkeys(notes)))


def _notes_of_lora(name: str, path: Path, structure: Structure, model: str) -> Iterator[str]:
    reading = check_lora(path, structure)
    for said in (reading.note, line_caution(read_header(path), model)):
        if said:
            yield f"LoRA {name!r}: {said}"


def _named(texts: Sequence[str], names: Mapping[str, object]) -> list[str]:
    """The names of embeddings that the prompts mention, of those in `names`."""
    parts = (part for text in texts for part in split_mentions(fragments(text), names.keys()))
    return list(dict.fromkeys(part.embedding for part in parts if part.embedding))


def _foreign(texts: Sequence[str], others: Mapping[str, Installed], family: BaseFamily) -> Iterator[str]:
    """That the prompts name embeddings which this model cannot read."""
    for name in _named(texts, others):
        one = others[name]
        reason = f": {one.kind.problem}" if one.kind.problem else f"; one for {family.title} is needed"
        yield f"embedding {name!r} was not used: {one.path.name} is {one.kind.what}{reason}"


def _left_out(texts: Sequence[str], known: Mapping[str, object], reason: str) -> Iterator[str]:
    for text in texts:
        for name in missing_embeddings(text, known.keys()):
            yield f"embedding {name!r} was left out: {reason}"
