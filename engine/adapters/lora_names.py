"""How trainers and programs spell the layers of a base model in a LoRA's keys.

Knows prefixes and the two worlds of names, diffusers' and the original code's; knows no kind of LoRA.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache

from ..families.ldm_names import ldm_paths
from ..families.structure import Structure

Layer = tuple[int, str]
"""Which network (0 is the UNet, then the text encoders) and the path of a layer in it, as `Structure` names it."""

_PEFT = "base_model.model."
_UNET = (f"unet.{_PEFT}", f"{_PEFT}unet.", _PEFT, "model.diffusion_model.", "diffusion_model.", "lora_unet.", "unet.", "")
_UNET_FLAT = ("lora_unet_", "lycoris_unet_", "lycoris_")
_TEXT = tuple(
    (f"{name}.{_PEFT}", f"{_PEFT}{name}.", f"text_encoders.{short}.", f"{name}.", f"{short}.", f"lora_te{number}.")
    for number, name, short in ((1, "text_encoder", "clip_l"), (2, "text_encoder_2", "clip_g"))
)
_TEXT_FLAT = (
    ("lora_te_", "lora_te1_", "lycoris_te_", "lycoris_te1_", "lycoris_text_encoder_"),
    ("lora_te2_", "lycoris_te2_", "lycoris_text_encoder_2_"),
)
"""Dots separate the parts of a path, or underscores do, and then it cannot be taken apart. An empty prefix is a bare path."""


class Spellings:
    """Finds the layer that a spelling means."""

    def __init__(self, structure: Structure) -> None:
        unet, *encoders = [dict.fromkeys(name.rpartition(".")[0] for name in network) for network in structure.networks]
        self._tables = [_table(unet, _UNET, _UNET_FLAT, lambda path: (path, *ldm_paths(path)))]
        for encoder, dotted, flat in zip(encoders, _TEXT, _TEXT_FLAT, strict=False):
            bare = (_PEFT, "") if len(self._tables) == 1 else ()  # the first encoder, as the UNet
            self._tables.append(_table(encoder, (*dotted, *bare), flat, _clip_paths))

    def layer(self, spelled: str) -> Layer | None:
        """The layer that `spelled` means in this base model; `None` for none."""
        for network, table in enumerate(self._tables):
            for prefix, names in table:
                if spelled.startswith(prefix) and (path := names.get(spelled[len(prefix) :])) is not None:
                    return network, path
        return None


@lru_cache(maxsize=16)
def spellings(structure: Structure) -> Spellings:
    """The spellings of a structure's layers, made once."""
    return Spellings(structure)


def _table(
    paths: Iterable[str], dotted: Iterable[str], flat: Iterable[str], spell: Callable[[str], Iterable[str]]
) -> list[tuple[str, Mapping[str, str]]]:
    """Prefix -> spelling without it -> path."""
    names = {spelled: path for path in paths for spelled in spell(path)}
    underscored = {spelled.replace(".", "_"): path for spelled, path in names.items()}
    return [*((prefix, names) for prefix in dotted), *((prefix, underscored) for prefix in flat)]


def _clip_paths(path: str) -> Iterator[str]:
    for inner in (path, f"text_model.{path}"):
        yield inner
        yield f"transformer.{inner}"
