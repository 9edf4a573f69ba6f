"""The prompt language that artists know: emphasis, escapes and `<lora:name:weight>`. Knows text, not tokens."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from .errors import BadRequest
from .request import Request

STRONGER = 1.1
"""What one pair of round brackets multiplies by; one pair of square brackets divides."""

Fragment = tuple[str, float]
"""Text and its weight; 1 is plain."""

_TOKEN = re.compile(
    r"\\(?P<escaped>[\\()\[\]])|(?P<open>[(\[])|(?::\s*(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+))\s*)?(?P<close>[)\]])|.", re.DOTALL
)
_LORA = re.compile(r"<lora:(?P<name>[^:<>]+)(?::(?P<weight>[^:<>]*))?>")


def fragments(prompt: str) -> list[Fragment]:
    """Split a prompt by weight: `a (red:1.3) ((big)) [dog] \\(sic\\)`.

    `(text)` is 1.1, nested brackets multiply, `[text]` is 1/1.1, `(text:1.3)` is 1.3. A bracket without its partner and
    one after a backslash are text.
    """
    opened: list[str] = []
    levels: list[list[Fragment]] = [[]]
    for token in _TOKEN.finditer(prompt):
        if token["open"]:
            opened.append(token["open"])
            levels.append([])
        elif token["close"] and opened and (factor := _factor(opened[-1], token["close"], token["weight"])) is not None:
            opened.pop()
            inner = levels.pop()
            levels[-1] += [(text, weight * factor) for text, weight in inner]
        else:
            levels[-1].append((token["escaped"] or token[0], 1.0))
    while opened:
        rest = levels.pop()
        levels[-1] += [(opened.pop(), 1.0), *rest]
    return _joined(levels[0])


def extract_loras(prompt: str) -> tuple[str, tuple[tuple[str, float], ...]]:
    """A prompt without its `<lora:name:0.8>`, and names with weights (1 by default). Raises `BadRequest` for a wrong weight."""
    loras: list[tuple[str, float]] = []
    for match in _LORA.finditer(prompt):
        text = "1" if match["weight"] is None else match["weight"].strip()
        try:
            weight = float(text)
        except ValueError:
            weight = math.nan
        if not math.isfinite(weight):
            raise BadRequest(f"{match[0]!r} has the weight {text!r}; a number such as 0.8 would be right")
        loras.append((match["name"].strip(), weight))
    rest = re.sub(r"[ \t]{2,}", " ", _LORA.sub("", prompt)) if loras else prompt
    return rest.strip() if loras else rest, tuple(loras)


def with_loras(request: Request) -> Request:
    """Move every `<lora:…>` of the prompts into `loras`; a repeated name counts once, with its last weight.

    Raises `BadRequest` for a LoRA in the negative prompt.
    """
    if named := extract_loras(request.negative_prompt)[1]:
        raise BadRequest(
            f"the negative prompt names LoRA {named[0][0]!r}; a LoRA changes the model, so it belongs in the prompt",
            "To push away from what it was trained on, give it a weight below 0 there.",
        )
    prompt, loras = extract_loras(request.prompt)
    layers = {role: extract_loras(text) for role, text in request.prompts.items()}
    found = [*request.loras, *loras, *(lora for _, named in layers.values() for lora in named)]
    if not found:
        return request
    prompts = {role: text for role, (text, _) in layers.items()}
    return replace(request, prompt=prompt, prompts=prompts, loras=tuple(dict(found).items()))


def _factor(opening: str, closing: str, weight: str | None) -> float | None:
    """What a pair of brackets multiplies by; `None` where they are not a pair."""
    if opening + closing == "()":
        return float(weight) if weight else STRONGER
    return 1 / STRONGER if opening + closing == "[]" and not weight else None


def _joined(parts: list[Fragment]) -> list[Fragment]:
    joined: list[Fragment] = []
    for text, weight in parts:
        if joined and math.isclose(joined[-1][1], weight, rel_tol=1e-9):
            joined[-1] = (joined[-1][0] + text, joined[-1][1])
        else:
            joined.append((text, weight))
    return joined
