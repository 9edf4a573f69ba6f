"""A request's prompts, read for every picture: choices made, LoRAs taken out, and what was not understood.

Opens no file but wildcards.
"""

from __future__ import annotations

from dataclasses import replace

from ..values.request import Request
from .dynamic_prompts import Wildcards, chosen, is_dynamic
from .emphasis import fragments
from .lora_tags import with_loras
from .schedules import split_composed, worthless_words


def read(request: Request, wildcards: Wildcards) -> tuple[tuple[Request, ...], tuple[str, ...]]:
    """One request for each picture, of count 1 and with its own seed; and sentences about what was not understood.

    Raises `BadRequest` for what cannot be read.
    """
    found = [with_loras(_chosen(one, wildcards)) for one in request.pictures()]
    for one, _ in found[:1]:
        for text in _texts(one):
            fragments(text)
            split_composed(text)
    first = found[0][0]
    notes = [note for text in (first.prompt, *first.prompts.values()) for note in worthless_words(text)]
    notes += worthless_words(first.negative_prompt, negative=True)
    notes += [note for _, said in found for note in said]
    return tuple(one for one, _ in found), tuple(dict.fromkeys(notes))


def _chosen(request: Request, wildcards: Wildcards) -> Request:
    """The request with the choices that its seed makes."""
    if not any(map(is_dynamic, _texts(request))):
        return request
    return replace(
        request,
        prompt=chosen(request.prompt, request.seed, wildcards),
        negative_prompt=chosen(request.negative_prompt, request.seed, wildcards),
        prompts={role: chosen(text, request.seed, wildcards) for role, text in request.prompts.items()},
    )


def _texts(request: Request) -> tuple[str, ...]:
    return (request.prompt, request.negative_prompt, *request.prompts.values())
