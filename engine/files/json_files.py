"""Small JSON and YAML files that people and other programs write; what their objects mean is not known here."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ..values.errors import ModelBroken


def read_json(path: Path) -> dict[str, Any]:
    """The object in the file at `path`. Raises `ModelBroken` if it is missing, not JSON, or not an object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelBroken(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ModelBroken(f"{path} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise ModelBroken(f"{path} holds a {type(value).__name__}; an object is expected")
    return value


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write `value` under a temporary name in the same folder, then rename: readers see the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            json.dump(value, file)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            file.close()
            Path(file.name).unlink(missing_ok=True)
            raise


YAML_LIMIT = 2**20
"""Bytes of YAML that are read at most."""


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in the YAML file at `path`, read without running anything; empty where there is no file, or one of no mapping.

    Raises `ModelBroken` for a file that is not YAML.
    """
    try:
        with path.open("rb") as file:
            text = file.read(YAML_LIMIT)
    except OSError:
        return {}
    import yaml  # type: ignore[import-untyped]  # few files are YAML, and it takes a tenth of a refusal's time

    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelBroken(f"{path} is not valid YAML: {reason}", "Correct the file, or move it away.") from error
    return value if isinstance(value, dict) else {}
