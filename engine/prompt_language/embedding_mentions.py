"""Where a prompt names textual inversion embeddings: `embedding:NAME` as in ComfyUI, or the bare name as in A1111.

Knows names; whose vectors they stand for, and how many tokens they take, is the encoder's.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from .emphasis import Fragment, fragments

_MENTION = re.compile(r"\bembedding:(?P<name>[^\s,()\[\]{}:|]+)", re.IGNORECASE)
_ENDING = re.compile(r"\.(?:safetensors|pt|bin)$", re.IGNORECASE)


class PromptPart(NamedTuple):
    """A piece of a prompt: words, or one embedding."""

    text: str
    """The words; of an embedding, what was written."""
    weight: float
    embedding: str = ""
    """The installed name of the embedding that stands here; empty for words."""


def split_mentions(pieces: list[Fragment], installed: Collection[str]) -> list[PromptPart]:
    """Words and embeddings in their order. Letter case does not matter, and of two names that fit the longer is taken.

    An `embedding:` that is not installed is left out (`missing_embeddings` tells).
    """
    known = {name.lower(): name for name in installed}
    bare = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    pattern = re.compile(rf"{_MENTION.pattern}" + (rf"|(?<!\w)(?P<bare>{bare})(?!\w)" if bare else ""), re.IGNORECASE)
    parts: list[PromptPart] = []
    for text, weight in pieces:
        end = 0
        for match in pattern.finditer(text):
            found = match.groupdict().get("bare") or match["name"]
            parts += [PromptPart(text[end : match.start()], weight)] if match.start() > end else []
            name = _known(found, known)
            parts += [PromptPart(match[0], weight, name)] if name else []
            end = match.end()
        parts += [PromptPart(text[end:], weight)] if end < len(text) else []
    return parts


def missing_embeddings(prompt: str, installed: Collection[str]) -> list[str]:
    """The names after `embedding:` that are not installed, as they were written. Raises what `fragments` does."""
    known = {name.lower(): name for name in installed}
    named = (match["name"] for text, _ in fragments(prompt) for match in _MENTION.finditer(text))
    return [name for name in dict.fromkeys(named) if not _known(name, known)]


def _known(written: str, known: dict[str, str]) -> str:
    """The installed name that `written` means: with its ending or without, whatever its folder; empty for none."""
    name = written.lower()
    for one in (name, _ENDING.sub("", name), _ENDING.sub("", name).rsplit("/", 1)[-1]):
        if one in known:
            return known[one]
    return ""
