"""How programs store the values of weights besides as plain numbers: in 8 bit with a scale beside, or quantised.

Knows names and types of tensors; knows no value and no torch.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ..families.base import Header

_SCALES = (".scale_weight", ".weight_scale")
"""What a weight in 8 bit is multiplied by: ComfyUI's older and newer spelling."""
_BESIDE = (*_SCALES, ".scale_input", ".input_scale", ".comfy_quant", "scaled_fp8")
"""Ends of names that are no weights: the scales, those of activations, and marks."""
_QUANTISED = (
    (re.compile(r"\.quant_state\.bitsandbytes|\.(?:nested_)?absmax$|\.quant_map$"), "with bitsandbytes"),
    (re.compile(r"\.(?:qweight|wscales|smooth_factor)$"), "with SVDQuant or GPTQ"),
    (re.compile(r"\.weight_scale_2$"), "to four bit (NVFP4)"),
)
_PLAIN = ("F", "BF", "Q", "IQ")
"""Beginnings of the types that are read: numbers as they stand or with one scale, and GGUF's blocks."""


def is_beside(name: str) -> bool:
    """Whether a tensor is no weight, but says how one is stored."""
    return name.endswith(_BESIDE)


def scale_of(name: str, names: Collection[str]) -> str | None:
    """The name of what the tensor `name` is multiplied by; `None` where it is stored as it is."""
    if not name.endswith(".weight"):
        return None
    return next((scale for end in _SCALES if (scale := name.removesuffix(".weight") + end) in names), None)


def unreadable(header: Header) -> str:
    """Why the weights cannot be read as numbers, as the end of a sentence; empty where they can."""
    for name, entry in header.tensors.items():
        way = next((way for pattern, way in _QUANTISED if pattern.search(name)), None)
        stored = str(entry["dtype"])
        if way is None and name.endswith(".weight") and not stored.startswith(_PLAIN) and len(entry["shape"]) > 1:
            way = f"to {stored}"
        if way is not None:
            return f"its weights are quantised {way}, which only the program that wrote them reads; take it in fp16 or fp8"
    return ""
