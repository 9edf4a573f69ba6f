"""What may follow in a prompt: names of LoRAs after `<lora:`, of embeddings after `embedding:`. Knows text, no text field."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from .offers import Addition

_LORA = re.compile(r"<(?:lora|lyco):([^<>:]*)$", re.IGNORECASE)
_EMBEDDING = re.compile(r"\bembedding:([^\s,()\[\]{}:|]*)$", re.IGNORECASE)


class Completion(NamedTuple):
    """Texts that may take the place of what stands from `start` to the cursor, by the names that a list shows."""

    start: int
    texts: dict[str, str]


def completion(text: str, cursor: int, loras: Iterable[Addition], embeddings: Iterable[Addition]) -> Completion | None:
    """What could be meant before the cursor; `None` where no name is begun, or none is installed that fits.

    Names that begin with what was typed come before those that only contain it.
    """
    before = text[:cursor]
    if found := _LORA.search(before):
        return _completion(found, {one.name: f"<lora:{one.name}:1>" for one in loras}, closed=text[cursor:].startswith(">"))
    if found := _EMBEDDING.search(before):
        return _completion(found, {one.name: f"embedding:{one.name}" for one in embeddings})
    return None


def _completion(found: re.Match[str], texts: dict[str, str], closed: bool = False) -> Completion | None:
    typed = found[1].casefold()
    fitting = [name for name in texts if typed in name.casefold()]
    fitting.sort(key=lambda name: (not name.casefold().startswith(typed), name.casefold()))
    if not fitting or (len(fitting) == 1 and fitting[0] == found[1]):
        return None
    if closed:  # the tag's weight and end would stand there twice
        texts = {name: text.rpartition(":")[0] for name, text in texts.items()}
    return Completion(found.start(), {name: texts[name] for name in fitting})
