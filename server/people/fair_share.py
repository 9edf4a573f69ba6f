"""How much of something that is there for all one person may take. Knows numbers only."""

from __future__ import annotations


def leaves_as_much(more: int, mine: int, taken: int, limit: int) -> bool:
    """Whether `more` fits so that as much stays free as the person had before: `taken` of `limit` are others' and `mine`.

    Whoever is alone gets half at most, and a newcomer, who has nothing yet, whatever is free.
    """
    return limit - taken - more >= mine
