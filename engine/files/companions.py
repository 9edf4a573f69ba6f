"""What a checkpoint lacks and other installed files have: a VAE, text encoders. Knows kinds and names; opens no file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from ..families import BASE_FAMILIES, NEWEST_FIRST, BaseFamily
from .foreign_model_folders import vae_beside
from .gguf_headers import INSTALL_GGUF, NO_GGUF
from .gguf_headers import SUFFIX as GGUF
from .installed import Installed
from .recognition import TEXT_ENCODERS


@dataclass(frozen=True)
class Companions:
    """Where the parts of a model come from that are not its own."""

    vae: Path | None = None
    """The file whose VAE is used; `None` for the model's own."""
    text: tuple[Path, ...] = ()
    """The file of each text encoder; empty for the model's own."""
    wanting: str = ""
    """What nobody has, as the end of a sentence."""
    hint: str = ""

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((*([self.vae] if self.vae else []), *self.text)))

    @property
    def noted(self) -> dict[str, str]:
        """What a picture's parameters say of it."""
        text = ", ".join(dict.fromkeys(path.name for path in self.text))
        return {**({"vae": self.vae.name} if self.vae else {}), **({"text_encoders": text} if text else {})}


def companions(one: Installed, everything: Sequence[Installed]) -> Companions:
    """Where the checkpoint or folder `one` gets what it lacks, of all that is installed."""
    family = BASE_FAMILIES.get(one.kind.family or "")
    if one.kind.role != "checkpoint" or one.kind.problem or family is None:
        return Companions()
    if one.path.suffix.lower() == GGUF and not find_spec("gguf"):
        return Companions(wanting=NO_GGUF, hint=INSTALL_GGUF)
    beside = vae_beside(one.path)
    vae = beside if one.path.is_file() and beside.is_file() else None
    for other in everything:
        if other.path == vae and (other.kind.problem or other.kind.role != "vae" and not other.kind.has_vae):
            return Companions(wanting=_NO_VAE.format(beside.name, other.kind.what), hint=_PUT_VAE.format(family.title))
    if vae is None and not one.kind.has_vae:
        vae = next((other.path for other in _vaes(one, everything)), None)
    text = () if one.kind.has_text else _text(one, family, everything)
    without = [
        *(["VAE"] if vae is None and not one.kind.has_vae else []),
        *(["text encoders"] if not text and not one.kind.has_text else []),
    ]
    if not without:
        return Companions(vae, text)
    hints = {
        "VAE": f"Put one next to it as {beside.name}.",
        "text encoders": f"Install any complete {family.title} checkpoint; its text encoders will be used.",
    }
    some = "one" if without[0] == "VAE" else "some"
    wanting = f"it has no {' and no '.join(without)} inside, and no other installed file has {some} for it"
    return Companions(vae, text, wanting, " ".join(hints[part] for part in without))


_NO_VAE = "{} next to it would be its VAE, and is {}"
_PUT_VAE = "Put a VAE for {} there, or move that file away."


def completed(everything: Sequence[Installed]) -> list[Installed]:
    """All that is installed, each with what it needs and nobody has."""
    found = ((one, companions(one, everything)) for one in everything)
    return [replace(one, wanting=with_it.wanting, hint=with_it.hint) if with_it.wanting else one for one, with_it in found]


def _vaes(one: Installed, everything: Sequence[Installed]) -> Iterator[Installed]:
    """Of the vae folder by its name, as a VAE's tensors do not tell its family; then from other checkpoints."""
    usable = [other for other in everything if not other.kind.problem and other.path.is_file()]
    vaes = [other for other in usable if other.kind.role == "vae" and _family_of_vae(other.name).name == one.kind.family]
    yield from sorted(vaes, key=lambda other: bool(other.kind.caution))  # those that only decode come last
    yield from (other for other in _checkpoints(one, usable) if other.kind.has_vae)


def _text(one: Installed, family: BaseFamily, everything: Sequence[Installed]) -> tuple[Path, ...]:
    """Of text encoder files, or else all of another checkpoint."""
    usable = [other for other in everything if not other.kind.problem and other.path.is_file()]
    words = [f"the text encoder {name}" for name in TEXT_ENCODERS.values()][: len(family.text_encoders)]
    alone = [next((other.path for other in usable if other.kind.what == what), None) for what in words]
    found = tuple(path for path in alone if path is not None)
    if len(found) == len(words):
        return found
    whole = next((other for other in _checkpoints(one, usable) if other.kind.has_text), None)
    return () if whole is None else (whole.path,) * len(words)


def _checkpoints(one: Installed, usable: Sequence[Installed]) -> Iterator[Installed]:
    return (other for other in usable if other.kind.role == "checkpoint" and other.family == one.kind.family and other != one)


def _family_of_vae(name: str) -> BaseFamily:
    return next(family for family in NEWEST_FIRST if family.vae_name in name.lower())
