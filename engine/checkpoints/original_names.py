"""The names that programs give to a checkpoint's tensors, and the original ones that everything else reads.

Knows names only, no shape and no value: a name that no rule knows stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..families.base import BaseFamily
from ..families.ldm_checkpoints import FIRST, UNET, VAE
from ..families.ldm_names import ldm_paths

_COMPILED = "_orig_mod."
"""What `torch.compile` puts into the names of a network that is saved as it is."""
_EMA = "model_ema.diffusion_model"
_EMA_FIRST = f"{_EMA}input_blocks00weight"
_BARE_FIRST = FIRST.removeprefix(UNET)
_BARE = ("input_blocks.", "middle_block.", "output_blocks.", "time_embed.", "label_emb.", "out.")
_DIFFUSERS = {"conv_in.weight", "conv_out.weight", "time_embedding.linear_1.weight"}
_ENCODERS = (
    re.compile(r"(?:conditioner\.embedders\.0|cond_stage_model\.clip_l|text_encoders\.clip_l|clip_l|text_encoder|te1)\."),
    re.compile(r"(?:conditioner\.embedders\.1|cond_stage_model\.clip_g|text_encoders\.clip_g|clip_g|text_encoder_2|te2)\."),
)
"""Beginnings of names of the first and the second text encoder's tensors."""
_INNER = re.compile(r"(?:transformer\.(?!resblocks\.)|model\.)?")
"""What may come before the name in a text encoder."""
_WORDS = re.compile(
    r"input_blocks|output_blocks|middle_block|time_embed|label_emb|in_layers|emb_layers|out_layers|skip_connection"
    r"|transformer_blocks|attn\d|to_[qkv]|to_out|ff|net|proj_in|proj_out|proj|norm\d?|conv|op|out|weight|bias|\d+"
)


def original_names(names: Collection[str], newest_first: Sequence[BaseFamily]) -> dict[str, str]:
    """The tensors of a checkpoint or of a UNet alone: original name -> name in the file; empty for a file with no UNet.

    A file may have the UNet's average over the training (EMA) alone, have all names below another one, or a text encoder where
    its program keeps it. Names that no rule knows are kept.
    """
    plain = {name.replace(_COMPILED, ""): name for name in names}
    wrapper = _wrapper(plain)
    found = {name.removeprefix(wrapper): inside for name, inside in plain.items()}
    unet = _unet(found)
    if FIRST not in unet:
        return {}
    family = next(family for family in newest_first if family.is_checkpoint(_Names(unet)))
    prefixes = [encoder.prefix for encoder in family.text_encoders]
    of_unet = set(unet.values())
    others = {_original(name, prefixes): name for name in found if name not in of_unet}
    return {original: found[name] for original, name in {**others, **unet}.items()}


@dataclass(frozen=True)
class _Names:
    """As much of a header as telling families apart takes."""

    tensors: Mapping[str, str]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def shape(self, name: str) -> tuple[int, ...]:
        raise LookupError(f"the shape of {name} is not known here")


def _wrapper(names: Collection[str]) -> str:
    """What stands before every name: `state_dict.`, or a `model.` too many."""
    for first in (FIRST, _EMA_FIRST):
        for name in names:
            if name.endswith(first):
                return name.removesuffix(first)
    return ""


def _unet(names: Collection[str]) -> dict[str, str]:
    """Original name -> name, of the UNet's tensors."""
    if FIRST in names:
        return {name: name for name in names if name.startswith(UNET)}
    if f"diffusion_model.{_BARE_FIRST}" in names:
        return {f"model.{name}": name for name in names if name.startswith("diffusion_model.")}
    if _EMA_FIRST in names:
        inside = ((name, dotted(name.removeprefix(_EMA))) for name in names if name.startswith(_EMA))
        return {f"{UNET}{original}": name for name, original in inside}
    if _BARE_FIRST in names and "out.2.weight" in names:  # a ControlNet has no output
        return {f"{UNET}{name}": name for name in names if name.startswith(_BARE)}
    for prefix in ("unet.", ""):
        if all(f"{prefix}{name}" in names for name in _DIFFUSERS):
            return dict(_from_diffusers([name for name in names if name.startswith(prefix)], prefix))
    return {}


def _from_diffusers(names: Sequence[str], prefix: str) -> Iterator[tuple[str, str]]:
    attentive = {match[1] for name in names if (match := re.match(r".*(up_blocks\.\d+)\.attentions\.", name))}
    for name in names:
        path, _, kind = name.removeprefix(prefix).rpartition(".")
        places = ldm_paths(path)
        if not places:
            yield f"{UNET}{path}.{kind}", name
        else:  # an upsampler stands after the attention, or in its place
            block = ".".join(path.split(".")[:2])
            yield f"{UNET}{places[0 if len(places) == 1 or block in attentive else 1]}.{kind}", name


def dotted(name: str) -> str:
    """`input_blocks41transformer_blocks0attn1to_qweight` -> `input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight`.

    Averages are stored without dots. A name with other words in it comes back as it is.
    """
    words = _WORDS.findall(name)
    if "".join(words) != name:
        return name
    split = [
        [word[:-1], word[-1]] if _nested(before, word) else [word] for before, word in zip(["", *words], words, strict=False)
    ]
    return ".".join(part for parts in split for part in parts)


def _nested(before: str, word: str) -> bool:
    """Whether a number is two: the block's and, of one digit, the place in it."""
    return before in ("input_blocks", "output_blocks", "label_emb") and len(word) > 1


def _original(name: str, prefixes: Sequence[str]) -> str:
    """The original name of a tensor outside of the UNet."""
    for prefix, alias in zip(prefixes, _ENCODERS, strict=False):
        if name.startswith(prefix):
            return name
        if match := alias.match(name):
            inner = name[match.end() :]
            return prefix + inner.removeprefix(_INNER.match(inner)[0])  # type: ignore[index]
    return VAE + name.removeprefix("vae.") if name.startswith("vae.") else name
