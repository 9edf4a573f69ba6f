"""What an artist has filled in, and what the server is asked because of it. Knows values, no widgets.

The same values are kept as JSON: with the editor's settings, on a document, and (as parameters) in the history.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from acetate.protocol import Box, Parameters
from acetate.protocol.values import LONGEST_TEXT

from .placement import Area, too_large
from .tasks import BY_NAME, METHODS, Task

LARGEST_SEED = 2**32 - 1
"""What spin boxes and other programs' metadata can hold; the server would take more."""
MOST_CANDIDATES = 64
"""In one run: the server's limit."""

LONGEST_NAME = 200
"""Of a layer, that the protocol takes."""

WORDS = ("prompt", "negative_prompt", "model", "steps", "guidance_scale", "scheduler")
"""What a layer's other versions share with it."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """Every field of the panel. `None` and empty strings leave a value to the model."""

    task: str = "foreground"
    prompt: str = ""
    negative_prompt: str = ""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """By role, for tasks that make several layers."""
    model: str = ""
    area: Area = "selection"
    width: int = 0
    height: int = 0
    """Of the area `custom`."""
    count: int = 1
    strength: float = 0.6
    lock_alpha: bool = False
    seed: int = 0
    new_seed: bool = True
    """Draw a random seed for every run."""
    steps: int | None = None
    guidance_scale: float | None = None
    scheduler: str = ""
    scale: float = 2.0
    upscaler: str = ""
    method: str = "auto"
    """One of `tasks.METHODS`."""

    @property
    def about(self) -> Task:
        return BY_NAME[self.task]

    def with_seed(self) -> Form:
        """The form with the seed of the next run."""
        return replace(self, seed=fresh_seed()) if self.new_seed else self

    def parameters(self) -> Parameters:
        """What the task takes of the form; the rest keeps the protocol's defaults."""
        has = self.about.fields
        return Parameters(
            prompt=self.prompt.strip(),
            negative_prompt=self.negative_prompt.strip(),
            prompts={role: text.strip() for role, text in self.prompts.items() if text.strip()} if "prompts" in has else {},
            model=self.model or None,
            steps=self.steps,
            guidance_scale=self.guidance_scale,
            scheduler=self.scheduler or None,
            seed=self.seed,
            count=self.count if "count" in has else 1,
            strength=self.strength if "strength" in has else None,
            lock_alpha=self.lock_alpha if "lock_alpha" in has else False,
            scale=self.scale if "scale" in has else Parameters().scale,
            upscaler=(self.upscaler or None) if "upscaler" in has else None,
            upscaling={"mode": self.method} if "method" in has and self.method != "auto" else {},
        )

    def result_box(self, box: Box) -> Box:
        """Where the result goes when the task's own place is `box`: only upscaling changes it."""
        return box.scaled(self.scale) if self.task == "upscale" else box

    def result_name(self, original: str) -> str:
        """What the server is to call the result: a larger layer as the original, all else (empty) after its prompt."""
        return original[:LONGEST_NAME] if self.task == "upscale" else ""

    def complaint(self, box: Box) -> str | None:
        """What has to be changed before this can be asked of the server; `None` when nothing."""
        if self.about.needs_prompt and not self.prompt.strip() and not any(text.strip() for text in self.prompts.values()):
            return "The prompt is empty. Say in a few words what to draw."
        longest = max(map(len, (self.prompt, self.negative_prompt, *self.prompts.values())))
        if longest > LONGEST_TEXT:
            return f"A prompt has {longest} characters; at most {LONGEST_TEXT} are taken. Shorten it."
        last = self.seed + self.parameters().count - 1
        if last > LARGEST_SEED:
            return f"The last candidate would have the seed {last}; the largest is {LARGEST_SEED}. Give a smaller seed or count."
        return too_large(self.result_box(box))

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def fresh_seed() -> int:
    """A random seed that leaves room for those of all candidates."""
    return secrets.randbelow(LARGEST_SEED - MOST_CANDIDATES + 2)


def from_json(text: str) -> Form:
    """A form kept earlier, perhaps by another version: unknown and unusable values are left out."""
    try:
        kept = json.loads(text)
    except ValueError:
        return Form()
    return _tolerant(Form(), kept if isinstance(kept, dict) else {})


def from_parameters(parameters: Mapping[str, Any], form: Form) -> Form:
    """The form that asks for a finished job again: the history's parameters over the present form, with its seed kept."""
    known = {name: value for name, value in parameters.items() if value is not None and name not in ("width", "height")}
    known["method"] = (parameters.get("upscaling") or {}).get("mode")
    restored = {name: getattr(Form(), name) for name in ("steps", "guidance_scale", "scheduler", "negative_prompt", "prompts")}
    return replace(_tolerant(replace(form, **restored), known), new_seed=False)


def with_words_of(made_with: Mapping[str, Any], form: Form) -> Form:
    """The form that asks for another version of a layer, with the words, model and sampler that made it."""
    plain = replace(form, **{name: getattr(Form(), name) for name in WORDS})
    return _tolerant(plain, {name: made_with.get(name) for name in WORDS})


def _tolerant(form: Form, values: Mapping[str, Any]) -> Form:
    usable = {}
    for one in fields(Form):
        value = values.get(one.name)
        if value is None:
            continue
        default = getattr(Form(), one.name)
        if one.name == "task":
            fits = value in BY_NAME
        elif one.name == "method":
            fits = value in METHODS
        elif one.name == "prompts":
            fits = isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
        elif one.name in ("steps", "seed", "count", "width", "height"):
            fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_SEED
        elif isinstance(default, (bool, str)):
            fits = isinstance(value, type(default))
        else:
            fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        if fits:
            usable[one.name] = value
    return replace(form, **usable)
