"""The alphas of LoRAs whose files have no tensor for them: diffusers notes them in the metadata, PEFT in a file beside.

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


class NotedAlphas:
    """What configurations say of a file's scales."""

    def __init__(self, metadata: Mapping[str, str], beside: Mapping[str, Any]) -> None:
        """`beside` is PEFT's `adapter_config.json`, empty without one."""
        noted = _json(metadata.get(METADATA, "{}"))
        self._configs = [
            {key.removeprefix(f"{name}."): value for key, value in noted.items() if key.startswith(f"{name}.")} or beside
            for name in _NETWORKS
        ]

    def alpha(self, layer: Layer, rank: int) -> float | None:
        """The alpha of a layer's change of this rank; `None` where nothing is noted."""
        network, path = layer
        config = self._configs[network]
        patterns = config.get("alpha_pattern")
        matching = (value for pattern, value in (patterns or {}).items() if re.match(rf"(?:.*\.)?(?:{pattern})$", path))
        alpha = next(matching, config.get("lora_alpha", config.get("alpha")))
        if not isinstance(alpha, int | float) or not math.isfinite(alpha):
            return None
        return float(alpha) * math.sqrt(rank) if config.get("use_rslora") else float(alpha)


def _json(text: str) -> dict[str, Any]:
    """An object, or nothing: a trainer's note that is damaged says nothing."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
