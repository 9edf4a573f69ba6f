"""The grammar of a LoRA's keys: a layer's spelling, and which part of the layer's change a tensor is.

Knows endings of keys as kohya's trainer, LyCORIS, diffusers, PEFT and ComfyUI write them; knows no layer and no shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

_PARTS: dict[str, str] = {
    r"lora_up\.weight|lora_B(?:\.[^.]+)?\.weight|(?:lora|lora_linear_layer)\.up\.weight|lora_embedding_B(?:\.[^.]+)?": "up",
    r"lora_down\.weight|lora_A(?:\.[^.]+)?\.weight|(?:lora|lora_linear_layer)\.down\.weight|lora_embedding_A(?:\.[^.]+)?": "down",
    r"lora_mid\.weight": "mid",
    r"lora_(?:up|B(?:\.[^.]+)?)\.bias": "up_bias",
    r"alpha": "alpha",
    r"dora_scale": "dora_scale",
    r"lora_magnitude_vector(?:\.[^.]+)*": "magnitude",
    r"hada_(?:w[12]_[ab]|t[12])": "",
    r"lokr_(?:w[12](?:_[ab])?|t2)": "",
    r"oft_(?:blocks|diag)": "",
    r"b?oft_[rRS](?:\.[^.]+)?|vera_lambda_[bd](?:\.[^.]+)?": "",
    r"rescale": "",
    r"[ab][12]\.weight": "",
    r"on_input": "",
    r"weight": "scales",
    r"w_norm": "diff",
    r"b_norm": "diff_b",
    r"diff(?:_b)?": "",
    r"set_weight": "",
}
"""Ending of a key -> which part of a change it is; empty where the ending itself says it."""

_KEY = re.compile(r"(?P<layer>.+?)\.(?P<ending>" + "|".join(_PARTS) + ")")
_EXACT = [(re.compile(pattern), part) for pattern, part in _PARTS.items()]
_LORA = re.compile(
    r"\.(?:lora_(?:up|down|mid)\.|lora_[AB]\b|lora(?:_linear_layer)?\.(?:up|down)\.|lora_magnitude_vector|dora_scale$|hada_|lokr_"
    r"|oft_(?:blocks|diag)|b?oft_[rRS]\b|vera_lambda|on_input$|[ab][12]\.weight$|[wb]_norm$|diff(?:_b)?$|set_weight$)|_lora\.(?:up|down)\.weight$"
)
"""Occurs in a key of a LoRA and in no other file's."""

_RENAMED = re.compile(r"_lora\.|\.to_out\.lora\.|_orig_mod[._]")

EMBEDDING = re.compile(r"bundle_emb\.(?P<name>[^.]+)\.(?P<key>.+)")
"""An embedding that was trained together with the LoRA (pivotal tuning)."""


@dataclass(frozen=True)
class LoraKeys:
    """A file's keys, sorted."""

    layers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Spelling of a layer -> part of its change -> key."""
    embeddings: dict[str, dict[str, str]] = field(default_factory=dict)
    """Name of an embedding -> its part -> key."""
    strange: list[str] = field(default_factory=list)
    """Keys of no known grammar."""


def is_lora(keys: Iterable[str]) -> bool:
    """Whether a file with these keys changes a network's layers, by any kind of LoRA."""
    return any(_LORA.search(key) for key in keys)


def sort_keys(keys: Iterable[str]) -> LoraKeys:
    """Sort the keys of a LoRA."""
    found = LoraKeys()
    for key in keys:
        if key.startswith("bundle_emb.") and (bundled := EMBEDDING.fullmatch(key)):
            found.embeddings.setdefault(bundled["name"], {})[bundled["key"]] = key
        elif match := _KEY.fullmatch(_current(key) if _RENAMED.search(key) else key):
            found.layers.setdefault(match["layer"], {})[_part(match["ending"])] = key
        else:
            found.strange.append(key)
    return found


@lru_cache(maxsize=256)
def _part(ending: str) -> str:
    return next(part or ending.removesuffix(".weight") for pattern, part in _EXACT if pattern.fullmatch(ending))


def _current(key: str) -> str:
    """Older spellings of diffusers, `attn1.processor.to_q_lora.down`, and `self_attn.to_q_lora.down` in text encoders; and the
    names of networks that were compiled."""
    key = re.sub(r"_orig_mod[._]", "", key)
    key = re.sub(r"\.processor\.(to_[qkv]|to_out)_lora\.", r".\1.lora.", key)
    key = re.sub(r"\.self_attn\.to_([qkv])_lora\.", r".self_attn.\1_proj.lora.", key)
    key = key.replace(".self_attn.to_out_lora.", ".self_attn.out_proj.lora.")
    return re.sub(r"(\.attn[12]\.to_out)\.lora\.", r"\1.0.lora.", key)
