"""The scales of LoRAs whose files have no alphas: diffusers notes them in the metadata, PEFT in a file beside.

Knows PEFT's configuration; opens no file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from .lora_names import Layer

METADATA = "lora_adapter_metadata"
"""Where diffusers notes PEFT's configurations, as JSON: `unet.lora_alpha`, `text_encoder.r`, …"""
_NETWORKS = ("unet", "text_encoder", "text_encoder_2")


class NotedScales:
    """What configurations say of a file's scales."""

    def __init__(self, metadata: Mapping[str, str], beside: Mapping[str, Any]) -> None:
        """`beside` is PEFT's `adapter_config.json`, empty without one."""
        noted = _json(metadata.get(METADATA, "{}"))
        self._configs = [
            {key.removeprefix(f"{name}."): value for key, value in noted.items() if key.startswith(f"{name}.")} or beside
            for name in _NETWORKS
        ]

    def scale(self, layer: Layer, rank: int) -> float | None:
        """What the change of a layer is multiplied by, its rank if none is noted; `None` where nothing is noted."""
        network, path = layer
        config = self._configs[network]
        alpha = _of_layer(config, path, "alpha_pattern", config.get("lora_alpha", config.get("alpha")))
        rank = _of_layer(config, path, "rank_pattern", config.get("r", rank))
        if not _is_number(alpha) or not _is_number(rank) or rank <= 0:
            return None
        return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _of_layer(config: Mapping[str, Any], path: str, patterns: str, otherwise: Any) -> Any:
    """The value of the first pattern that matches a layer's path, as PEFT looks for it."""
    matching = config.get(patterns)
    found = matching.items() if isinstance(matching, dict) else ()
    return next((value for pattern, value in found if re.match(rf"(?:.*\.)?(?:{pattern})$", path)), otherwise)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _json(text: str) -> dict[str, Any]:
    """An object, or nothing: a trainer's note that is damaged says nothing."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
