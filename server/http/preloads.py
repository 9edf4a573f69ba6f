"""Says on the terminal which models of `--preload` are not installed, as soon as that is known. Knows names; opens no model."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


class Preloads:
    """The models that were asked for. Only an engine can say what there is, and it is started after the server listens."""

    def __init__(self, wanted: Sequence[str]) -> None:
        self._wanted = tuple(wanted)

    def check(self, description: Mapping[str, Any]) -> None:
        """Compare with an engine's description, the first time; a file is taken at its word."""
        wanted, self._wanted = self._wanted, ()
        there = {str(model.get("name", "")) for model in description.get("models", ())}
        for name in wanted:
            if name not in there and not Path(name).exists():
                known = ", ".join(sorted(there)) or "none"
                log.warning("not preloaded", extra={"reason": f"--preload {name}: no such model; there are {known}"})
