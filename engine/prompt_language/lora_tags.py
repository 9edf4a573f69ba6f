"""LoRA tags of a prompt, as values: `<lora:name:0.8>` and what else artists write in them. Opens no file.

Tags of other kinds are taken out too and said, so that their letters are never drawn as words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from ..values.errors import BadRequest
from ..values.lora_tag import BLOCK_NAMES, LoraTag
from ..values.request import Request

_PRESETS: Mapping[str, str] = {
    "NONE": "00000000000000000",
    "ALL": "11111111111111111",
    "INS": "11100000000000000",
    "IND": "10001110000000000",
    "INALL": "11111110000000000",
    "MIDD": "10001111111100000",
    "OUTD": "10000000111100000",
    "OUTS": "10000000000011111",
    "OUTALL": "10000000111111111",
}
"""Names of lists of 17 weights."""

_TAG = re.compile(r"<(?P<kind>[A-Za-z_][\w-]*):(?P<rest>[^<>]*)>")
_UNCLOSED = re.compile(r"<(?:lora|lyco):[^<>]*", re.IGNORECASE)
_KINDS = ("lora", "lyco")


class Extracted(NamedTuple):
    """A prompt without its tags."""

    text: str
    tags: tuple[LoraTag, ...]
    notes: tuple[str, ...]
    """What was not understood, in sentences."""


def extract_tags(prompt: str) -> Extracted:
    """Take every `<kind:…>` out of a prompt. Raises `BadRequest` for a LoRA's tag that is wrong, or has no end."""
    tags: list[LoraTag] = []
    notes: list[str] = []
    for match in _TAG.finditer(prompt):
        if match["kind"].lower() in _KINDS:
            tag, said = _lora(match[0], match["rest"].split(":"))
            tags.append(tag)
            notes += said
        else:
            notes.append(f"{match[0]!r} is not understood and was left out")
    rest, found = _TAG.subn("", prompt)
    if unclosed := _UNCLOSED.search(rest):
        raise BadRequest(f"{unclosed[0][:60]!r} has no end; a LoRA is written as <lora:name:0.8>", "Close the tag with >.")
    rest = re.sub(r"[ \t]{2,}", " ", rest).strip() if found else prompt
    return Extracted(rest, tuple(tags), tuple(notes))


def with_loras(request: Request) -> tuple[Request, tuple[str, ...]]:
    """Move every `<lora:…>` of the prompts into `loras`, and say what was not understood.

    A repeated name counts once, with its last weights. Raises `BadRequest` for a LoRA in the negative prompt.
    """
    main, negative = extract_tags(request.prompt), extract_tags(request.negative_prompt)
    if negative.tags:
        raise BadRequest(
            f"the negative prompt names LoRA {negative.tags[0].name!r}; a LoRA changes the model, so it belongs in the prompt",
            "To push away from what it was trained on, give it a weight below 0 there.",
        )
    layers = {role: extract_tags(text) for role, text in request.prompts.items()}
    found = [LoraTag.of(entry) for entry in request.loras]
    found += [tag for one in (main, *layers.values()) for tag in one.tags]
    changed = replace(
        request,
        prompt=main.text,
        negative_prompt=negative.text,
        prompts={role: one.text for role, one in layers.items()},
        loras=tuple({tag.name: tag.entry for tag in found}.values()),
    )
    return changed, tuple(note for one in (main, negative, *layers.values()) for note in one.notes)


def _lora(tag: str, parts: list[str]) -> tuple[LoraTag, list[str]]:
    """The value of a tag and what to say of it."""
    name, *arguments = (part.strip() for part in parts)
    if not name:
        raise BadRequest(f"{tag!r} names no LoRA; <lora:name:0.8> would be right")
    positional: list[float] = []
    named: dict[str, float] = {}
    blocks: tuple[float, ...] = ()
    notes: list[str] = []
    for argument in arguments:
        key, equals, value = (part.strip() for part in argument.partition("="))
        if not equals and ("," in argument or argument.upper() in _PRESETS):
            blocks = _blocks(tag, argument)
        elif not equals:
            positional.append(_number(tag, argument))
        elif key.lower() == "lbw":
            blocks = _blocks(tag, value)
        elif key.lower() in ("unet", "te"):
            named[key.lower()] = _number(tag, value)
        else:
            notes.append(f"{argument!r} in {tag!r} is not understood and was left out")
    if len(positional) > 2:
        raise BadRequest(f"{tag!r} has {len(positional)} weights; at most two are taken, for the UNet and the text encoders")
    unet = named.get("unet", positional[0] if positional else named.get("te", 1.0))
    text = named.get("te", positional[1] if len(positional) == 2 else unet)
    if len(positional) == 2 and positional[0] != positional[1] and len(named) < 2:
        notes.append(f"{tag!r} was read as unet={unet:g}, te={text:g}; other programs have them the other way round")
    return LoraTag(name, unet, text, blocks), notes


def _blocks(tag: str, text: str) -> tuple[float, ...]:
    preset = _PRESETS.get(text.upper())
    weights = tuple(float(digit) for digit in preset) if preset else tuple(_number(tag, part) for part in text.split(","))
    if len(weights) not in BLOCK_NAMES:
        counts = ", ".join(map(str, BLOCK_NAMES))
        raise BadRequest(
            f"{tag!r} has {len(weights)} block weights; {counts} are known", f"Names for lists are {', '.join(_PRESETS)}."
        )
    return weights


def _number(tag: str, text: str) -> float:
    text = text.strip()
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise BadRequest(f"{tag!r} has the weight {text!r}; a number such as 0.8 would be right")
    return weight
