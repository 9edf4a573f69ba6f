"""Layer names as layered files take them: the program's rule, cut at the shortest limit of a format. Knows no format."""

from __future__ import annotations

from acetate.vocabulary import names

MAX_NAME = 255
"""Characters; the limit of PSD."""


def clean(name: str) -> str:
    """The name as `names.clean` leaves it, cut at `MAX_NAME`."""
    return names.clean(name)[:MAX_NAME]
