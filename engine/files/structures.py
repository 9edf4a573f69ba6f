"""Structures of base models from the configurations in a folder, the package's own or a diffusers folder's. Knows no torch."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from ..families import BASE_FAMILIES, BaseFamily
from ..families.structure import Structure, structure
from .json_files import read_json


def packaged_configs(family: str) -> Path:
    """The folder of a family's configurations, in the layout of a diffusers folder."""
    return Path(str(files("acetate.engine") / "data" / family))


def structure_of(family: BaseFamily, configs: Path | None = None) -> Structure:
    """The structure that the configurations under `configs` describe, without it the family's own. Raises `ModelBroken`."""
    return _read(family.name, configs or packaged_configs(family.name))


@lru_cache(maxsize=16)
def _read(family: str, configs: Path) -> Structure:
    encoders = [f"text_encoder{encoder.suffix}" for encoder in BASE_FAMILIES[family].text_encoders]
    return structure(
        read_json(configs / "unet" / "config.json"), [read_json(configs / name / "config.json") for name in encoders]
    )
