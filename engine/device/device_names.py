"""What a device may be called, known before torch is imported. Knows no machine."""

from __future__ import annotations

from ..values.errors import BadRequest

KINDS = ("cuda", "xpu", "mps", "cpu")
"""Kinds of device in order of preference; `cuda` is also ROCm's name."""


def check(name: str | None) -> None:
    """Raise `BadRequest` for what is no device on any machine; `None` and `auto` leave the choice to the program."""
    if name is None or name == "auto":
        return
    kind, colon, index = name.partition(":")
    if kind not in KINDS or colon and not (index.isascii() and index.isdecimal()):
        raise BadRequest(f"unknown device {name!r}", f"one of {', '.join(KINDS)}, with an index such as cuda:1")
