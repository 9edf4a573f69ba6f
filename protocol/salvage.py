"""What can still be told of a frame that was refused: its type, and which job or picture it named.

A client that sent a wrong number has to learn which of its jobs will not come. Knows damaged JSON; believes no more of it
than names.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .frames import MAX_HEADER_BYTES
from .messages import MAX_TEXT_BYTES

_MEMBER = re.compile(r'[{,]\s*"(\w{1,40})"\s*:\s*("(?:[^"\\]|\\.){0,200}"|[-+.\w]{1,40}(?=\s*[,}]))\s*')


def told_by(frame: str | bytes) -> dict[str, Any]:
    """The members of the JSON object that a text frame is, or a binary frame begins with, as far as they can be read.

    Of a member that comes twice with different values nothing is told: which one was meant, nobody knows.
    """
    text = frame if isinstance(frame, str) else frame[4 : 4 + MAX_HEADER_BYTES].decode(errors="replace")
    if len(text) <= MAX_TEXT_BYTES:
        try:
            value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_agreed)
        except (ValueError, RecursionError):
            pass
        else:
            return value if isinstance(value, dict) else {}
    return _agreed(_first_members(text[:MAX_TEXT_BYTES]))


def _first_members(text: str) -> list[tuple[str, Any]]:
    """The members before the first one that is an object, a list, or no JSON."""
    found, place = [], len(text) - len(text.lstrip())
    while member := _MEMBER.match(text, place):
        if member[2].startswith('"'):
            found.append((member[1], member[2][1:-1]))
        place = member.end()
    return found


def _agreed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    doubtful = {name for name, value in pairs if found.setdefault(name, value) != value}
    return {name: value for name, value in found.items() if name not in doubtful}
