"""Cards whose half precision gives no numbers: known by their name, or from a picture that came out without any.

The GeForce GTX 16 series and its relatives (TU116, TU117) multiply float16 matrices in a way that overflows in these networks.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch

from ..files.json_files import read_json, write_json
from ..values.errors import ModelBroken

BY_NAME = re.compile(r"\bGTX 16\d\d\b|\bT(?:400|500|550|600|1000|1200|2000)\b|\bMX[45]50\b")


class KnownCards:
    """A JSON file with the names of cards that failed in half precision; losing it costs one picture made twice."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fails(self, name: str) -> bool:
        """Whether the card `name` is to compute in float32."""
        return bool(BY_NAME.search(name)) or name in self._seen()

    def remember(self, name: str) -> None:
        """Note that the card `name` gave numbers in float32 alone; where nothing can be written it is found out again."""
        try:
            write_json(self._path, {"fails_in_half_precision": sorted({*self._seen(), name})})
        except OSError:
            return

    def _seen(self) -> set[str]:
        try:
            names = read_json(self._path).get("fails_in_half_precision") if self._path.exists() else None
        except ModelBroken:  # a damaged file is as good as none
            return set()
        return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def card_name(device: torch.device) -> str:
    """What the maker calls the card, `NVIDIA GeForce GTX 1660`; elsewhere the kind of device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
