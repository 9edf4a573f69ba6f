"""ComfyUI's `extra_model_paths.yaml`: the folders of models that lie elsewhere, by kind.

Groups with a `base_path`; each other entry is a kind of model with a folder, or one folder a line, relative to that. Knows the
file; enters no folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .json_files import read_yaml

NAMES = ("extra_model_paths.yaml", "extra_model_paths.yml", "extra_models_config.yaml")
"""What ComfyUI calls it, and its desktop program."""

_SETTINGS = ("base_path", "is_default", "custom_nodes", "configs", "download_model_base")
"""Entries of a group that name no folder of models."""


def lies_in(folder: Path) -> Path | None:
    """The file in `folder`; `None` where there is none."""
    return next((path for name in NAMES if (path := folder / name).is_file()), None)


def named_folders(path: Path) -> list[tuple[str, Path]]:
    """Kind and folder of all that the file names, those of default groups first; they need not exist.

    Raises `ModelBroken` for a file that is not YAML.
    """
    groups = [group for group in read_yaml(path).values() if isinstance(group, dict)]
    groups.sort(key=lambda group: group.get("is_default") is not True)
    return [found for group in groups for found in _of_group(group, path.parent)]


def _of_group(group: Mapping[str, Any], beside: Path) -> Iterator[tuple[str, Path]]:
    base = beside / _expanded(str(group.get("base_path") or ""))
    for kind, value in group.items():
        if kind not in _SETTINGS and isinstance(value, str):
            for line in filter(None, map(str.strip, value.splitlines())):
                yield kind, base / _expanded(line)


def _expanded(text: str) -> Path:
    return Path(os.path.expandvars(text)).expanduser()
