"""Where models, settings and caches lie on this machine, or all in `ACETATE_HOME` if it is set. Creates no folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

APP = "acetate"


def models_folder() -> Path:
    """The folder of downloaded models, with subfolders named as in ComfyUI."""
    return _below_home("models") or platformdirs.user_data_path(APP, appauthor=False) / "models"


def wildcards_folder() -> Path:
    """The folder of lists that prompts name as `__list__`."""
    return _below_home("wildcards") or platformdirs.user_data_path(APP, appauthor=False) / "wildcards"


def settings_folder() -> Path:
    """The folder of settings, such as the list of added folders."""
    return _below_home() or platformdirs.user_config_path(APP, appauthor=False)


def cache_folder() -> Path:
    """The folder of everything that can be computed again."""
    return _below_home("cache") or platformdirs.user_cache_path(APP, appauthor=False)


def _below_home(*parts: str) -> Path | None:
    home = os.environ.get("ACETATE_HOME")
    return Path(home, *parts) if home else None
