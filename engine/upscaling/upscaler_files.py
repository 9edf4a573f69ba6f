"""The files of networks that enlarge: found by name, and looked at before anything is imported that could open them.

Knows endings and sizes; opens no file and knows no torch.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..files.library import Library
from ..values.errors import EngineError, ModelBroken, ModelMissing

SUFFIXES = (".safetensors", ".pth")
LARGEST_FILE = 2**31
EXTRA = "pip install 'acetate[upscalers]'"
"""What installs the library that runs them."""


class SpandrelMissing(EngineError):
    """The library that runs the networks is not installed: interpolation still works."""


def file_of(name: str, library: Library) -> Path:
    """The file of an installed upscaler, or of an absolute path. Raises `ModelMissing` or `ModelBroken`."""
    path = Path(name) if os.path.isabs(name) else library.find(name, "upscaler").path
    check_file(path)
    return path


def check_file(path: Path) -> None:
    """Raise `ModelMissing`, or `ModelBroken` for what is no upscaler by its ending or its size."""
    suffix = path.suffix.lower()
    if suffix == ".pt":
        raise ModelBroken(
            f"{path.name}: .pt files may hold programs and are not opened", "use the .safetensors or .pth of the same network"
        )
    if suffix not in SUFFIXES:
        raise ModelBroken(f"{path.name}: an upscaler is a .safetensors or .pth file, not {suffix or 'one without suffix'}")
    if not path.is_file():
        raise ModelMissing(f"the upscaler file {path} does not exist")
    if path.stat().st_size > LARGEST_FILE:
        raise ModelBroken(
            f"{path.name} has {path.stat().st_size / 2**30:.1f} GiB; upscalers have at most {LARGEST_FILE // 2**30}"
        )
