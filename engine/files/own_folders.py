"""Where models, settings and caches lie on this machine; `ACETATE_HOME` holds all of them when it is set.

Knows paths only; creates nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

APP = "acetate"


def models_folder() -> Path:
    """Downloaded models, in subfolders named as ComfyUI names them."""
    return _below_home("models") or platformdirs.user_data_path(APP, appauthor=False) / "models"


def settings_folder() -> Path:
    """The list of added folders."""
    return _below_home() or platformdirs.user_config_path(APP, appauthor=False)


def cache_folder() -> Path:
    """What can be computed again."""
    return _below_home("cache") or platformdirs.user_cache_path(APP, appauthor=False)


def _below_home(*parts: str) -> Path | None:
    home = os.environ.get("ACETATE_HOME")
    return Path(home, *parts) if home else None
