"""A LoRA's file compared with a base model, and its values looked through, before anything is merged.

Knows files and readings; knows no network.
"""

from __future__ import annotations

from pathlib import Path

from ..adapters.lora_reading import LoraReading, read
from ..families.structure import Structure
from ..files.json_files import read_json
from ..files.weight_files import WeightFile
from ..values.errors import ModelBroken
from .finite import check_finite

_PEFT_WEIGHTS, _PEFT_CONFIG = "adapter_model.safetensors", "adapter_config.json"


def read_lora(file: WeightFile, structure: Structure) -> LoraReading:
    """What the file changes in a base model of this structure. Raises `ModelBroken` where that is nothing."""
    beside = file.path.with_name(_PEFT_CONFIG)
    config = read_json(beside) if file.path.name == _PEFT_WEIGHTS and beside.is_file() else {}
    reading = read(file.header, structure, config)
    if reading.problem:
        raise ModelBroken(f"{file.path.name} cannot be used: {reading.problem}")
    return reading


def check_lora(path: Path, structure: Structure) -> LoraReading:
    """As `read_lora`, and every value is looked at. Raises `ModelBroken` for NaN and infinity."""
    with WeightFile(path) as file:
        reading = read_lora(file, structure)
    check_finite(path)
    return reading
