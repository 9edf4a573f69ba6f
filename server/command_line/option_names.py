"""What the engine says of a request, in the words of the command line: parameters and pictures by the options that give them.

Knows names and the sentences that hold them; the one place where the two meet.
"""

from __future__ import annotations

import re

from acetate.vocabulary.parameters import PARAMETERS
from acetate.vocabulary.roles import GIVEN, ROLES
from acetate.vocabulary.upscaling import OPTIONS

RENAMED = {"guidance_scale": "--guidance", "negative_prompt": "--negative"}
"""The options whose names are not those of their parameters."""
SPELLED = {**RENAMED, "width": "--size", "height": "--size", "loras": "--lora"}
"""Also those that write a parameter in another form."""
PICTURE_OPTIONS = {"source": "--layer", "references": "--reference"}
"""The options of pictures that are called otherwise."""
UNSPELLED = ("prompt", "prompts", "upscaling")
"""The parameters that no option of their own gives."""


def option_of(name: str) -> str:
    """The option that gives a parameter or a picture."""
    if name in PICTURE_OPTIONS:
        return PICTURE_OPTIONS[name]
    return SPELLED.get(name, f"--{name.replace('_', '-')}")


def in_options(text: str) -> str:
    """A message or a hint as a person at the command line needs it."""
    for pattern, said in _SENTENCES:
        text = re.sub(pattern, said, text)
    return text


def _named(match: re.Match[str]) -> str:
    return f"{match[1]}{option_of(match[2])}"


def _plain_option(name: str) -> str:
    return option_of(name) if name in PARAMETERS and name not in UNSPELLED else name


_PARAMETERS = "|".join(sorted((name for name in PARAMETERS if name not in UNSPELLED), key=len, reverse=True))
_IDENTIFIERS = "|".join(name for name in PARAMETERS if "_" in name)
_PICTURES = "|".join((*GIVEN, "reference"))

_SENTENCES = (
    (r"^[a-z_, ]+(?= had no effect)", lambda found: ", ".join(map(_plain_option, found[0].split(", ")))),
    (r"\btask '([a-z-]+)'", r"--task \1"),
    (r"^(width|height) is\b", r"--size: \1 is"),
    (rf"^()({_PARAMETERS})(?=:| is\b| has\b| '| would\b)", _named),
    (rf"(does not use |leave |smaller )({_PARAMETERS})\b", _named),
    (rf"()\b({_IDENTIFIERS})\b(?=[^']*(?:'[^']*'[^']*)*$)", _named),
    (rf"^prompt of ({'|'.join(ROLES)})", r"--\1-prompt"),
    (r"^upscaling:", "--set:"),
    (rf"^({'|'.join(OPTIONS)}) is to be made", r"--\1 is to be made"),
    (r"no upscaler was named", "no --upscaler was named"),
    (r"\b(choose|take) (mode|injection|fast)\b", r"\1 --\2"),
    (rf"(does not use )a (?:({_PICTURES}) picture|mask)", lambda found: found[1] + option_of(found[2] or "mask")),
    (rf"^give a ({_PICTURES}) picture", lambda found: f"add {option_of(found[1])} FILE"),
    (r"^give a foreground or a background picture", "add --foreground FILE or --background FILE"),
    (r"no source picture to keep", "no --layer to keep"),
    (r"^give one, or leave --strength out", "give one with --layer FILE, or leave --strength out"),
    (r"^select what may change", "add --mask FILE: what is white in it may change"),
    (r"has half a surrogate pair, which is not a character", "has bytes that are no text in UTF-8"),
)
"""What is looked for in a sentence, and what stands there instead, in this order."""
