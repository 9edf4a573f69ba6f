"""A picture that was to be transparent and came out opaque is drawn again.

Models that draw RGBA by themselves now and then forget it (qwen-image.md 1.7). Knows measures and seeds; knows no network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from acetate.vocabulary.parameters import range_of

from ..values.request import Picture, Progress, Request

TRIES = 3
"""How often a picture is drawn at most."""
CLEAR_BORDER, CLEAR_AT_ALL = 0.9, 0.05
"""Below which share of its border, or above which mean alpha short of 1, a picture counts as opaque."""

Draw = Callable[[Request], Iterator[Progress | Picture]]


def until_transparent(
    draw: Draw, request: Request, apart: int, opaque: Callable[[Mapping[str, float]], bool]
) -> Iterator[Progress | Picture]:
    """What `draw` yields for the request; where its layer is opaque, anew with a seed that is `apart` from it, at most twice.

    `opaque` judges the measures of a layer.
    The last picture is given whatever it is. An empty one is not drawn again: there another prompt is needed.
    """
    _, last = range_of("seed")
    for attempt in range(TRIES):
        tried = replace(request, seed=(request.seed + attempt * apart) % (last + 1))
        for event in draw(tried):
            if not isinstance(event, Picture):
                yield event
            elif attempt == TRIES - 1 or not opaque(event.quality):
                yield replace(event, warnings=(*event.warnings, *_said(attempt, opaque(event.quality))))
                return


def is_opaque(quality: Mapping[str, float]) -> bool:
    """Whether a layer with these measures has a background, or hardly any transparency."""
    return quality["border"] < CLEAR_BORDER or is_covered(quality)


def is_covered(quality: Mapping[str, float]) -> bool:
    """Whether a layer with these measures has hardly any transparency; what was cut out may well reach the border."""
    return quality["coverage"] > 1 - CLEAR_AT_ALL


def _said(attempt: int, opaque: bool) -> tuple[str, ...]:
    if not attempt:
        return ()
    if opaque:
        return (f"the model drew a background {attempt + 1} times, with seeds of its own choice after the first",)
    return ("this is another seed than was asked for: with that one the model drew a background",)
