"""The words that a LoRA was trained to answer to, as its trainer noted them. Knows the metadata of files; reads no weight."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

MOST = 4
"""The most words that are told: captions have hundreds."""
ALWAYS = 0.95
"""The share of all captions that a word is in where it stands for what was trained."""
_PHRASE = "modelspec.trigger_phrase"
_FREQUENCY = "ss_tag_frequency"


def trigger_words(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """What the trainer calls the trigger; else the captions' words that nearly every picture has, the most frequent first."""
    if phrase := metadata.get(_PHRASE, "").strip():
        return tuple(word.strip() for word in phrase.split(",") if word.strip())[:MOST]
    try:
        noted = json.loads(metadata.get(_FREQUENCY) or "{}")
    except ValueError:
        return ()
    folders = [words for words in noted.values() if isinstance(words, dict)] if isinstance(noted, dict) else []
    found: dict[str, None] = {}
    for words in folders:
        counted = Counter(
            {str(word).strip(): count for word, count in words.items() if isinstance(count, int) and str(word).strip()}
        )
        most = max(counted.values(), default=0)
        found |= dict.fromkeys(word for word, count in counted.most_common(MOST) if count >= ALWAYS * most and most > 1)
    return tuple(found)[:MOST]
