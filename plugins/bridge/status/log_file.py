"""The plug-in's own log: a small file where the platform keeps such things, as nobody sees an editor's standard error.

Knows folders and logging; knows no editor. Prompts are not in it.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

from acetate.protocol import home

LARGEST_BYTES = 1 << 20
"""Of the file; the one before it is kept."""
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
PACKAGE = __name__.partition(".plugins")[0]


def log_file(editor: str) -> Path:
    """Where the log of an editor such as `krita` lies, whether or not it is there yet."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Logs" / "acetate" / f"{editor}.log"
    return home() / f"{editor}.log"


def keep_log(editor: str) -> logging.Handler | None:
    """Write what the plug-in logs into its file from now on; `None` where no file can be written. The caller may remove it."""
    path = log_file(editor)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=LARGEST_BYTES, backupCount=1, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(logging.Formatter(FORMAT))
    logger = logging.getLogger(PACKAGE)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    return handler
