"""What an artist has filled in, and what the server is asked because of it. Knows values, no widgets.

The same values are kept as JSON: with the editor's settings, on a document, and (as parameters) in the history.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, get_args

from acetate.protocol import Box, Parameters
from acetate.vocabulary.names import clean
from acetate.vocabulary.parameters import PARAMETERS, Injection, range_of, values_of
from acetate.vocabulary.tasks import DEFAULT, TASKS, Task
from acetate.vocabulary.value_types import LONGEST_NAME
from acetate.vocabulary.verdict import complaint

from .placement import Area, Clip, Original, too_large
from .tasks import METHODS
from .translations import _, said
from .words import sentence

LARGEST_SEED = 2**32 - 1
"""What spin boxes and other programs' metadata can hold; the server would take more."""
MOST_CANDIDATES = range_of("count")[1]
"""The most candidates that one run may make."""

CHOICES: Mapping[str, Collection[str]] = {
    "task": TASKS,
    "method": METHODS,
    "area": get_args(Area),
    "clip": get_args(Clip),
    "original": get_args(Original),
}

PLACE = "{prompt}"
"""Where the prompt goes in a style's words; without it they come after the prompt."""
SAMPLING = ("steps", "guidance_scale", "scheduler", "spacing", "clip_skip", "fast")
"""The fields of the numbers of a sampler and of what goes with them."""
WEIGHTS = ("loras", "injection", "layer_weight", "stop_at")
"""The fields of what is added to a model, and how."""
STYLE = ("style", "style_prompt", "style_negative")
"""The fields of the words that go around a prompt."""
WORDS = ("prompt", "negative_prompt", "model", *SAMPLING, *WEIGHTS)
"""The fields that a layer's other versions share with it."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """Every field of the panel. `None` and empty strings leave a value to the model."""

    task: str = DEFAULT
    prompt: str = ""
    negative_prompt: str = ""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """The prompt of each role, for tasks that make several layers."""
    style: str = ""
    """The name of the style that goes around the prompt; with its words, so that it needs nothing else."""
    style_prompt: str = ""
    style_negative: str = ""
    model: str = ""
    area: Area = "selection"
    width: int = 0
    height: int = 0
    """Width and height count only for the area `custom`."""
    clip: Clip = "no"
    """How a new layer is cut to the selection; counts only where the selection is its place."""
    original: Original = "hide"
    """What becomes of the layer that the result is a new version of."""
    grows: bool = False
    """Whether the canvas is enlarged with a layer that becomes larger than it."""
    besides: str = ""
    """The second layer of a task that takes two, as the editor tells layers apart; empty means the one below."""
    count: int = 1
    strength: float = 0.6
    lock_alpha: bool = False
    seed: int = 0
    new_seed: bool = True
    """Whether every run gets a random seed."""
    steps: int | None = None
    guidance_scale: float | None = None
    scheduler: str = ""
    spacing: str = ""
    clip_skip: int | None = None
    fast: bool = False
    loras: tuple[tuple[str, float], ...] = ()
    """Names, each with its weight."""
    injection: Injection = PARAMETERS["injection"].default
    layer_weight: float = PARAMETERS["layer_weight"].default
    stop_at: float = PARAMETERS["stop_at"].default
    scale: float = PARAMETERS["scale"].default
    upscaler: str = ""
    method: str = "auto"
    """How a layer is upscaled: a key of `tasks.METHODS`."""

    @property
    def about(self) -> Task:
        return TASKS[self.task]

    def with_seed(self) -> Form:
        """The form with the seed of the next run."""
        return replace(self, seed=fresh_seed()) if self.new_seed else self

    def parameters(self) -> Parameters:
        """The part of the form that the task takes; the rest keeps the protocol's defaults."""
        taken = (*WORDS, "seed", *self.about.fields)
        asked = {name: _asked(getattr(self, name)) for name in taken if name in self.about.parameters}
        asked |= {
            "prompt": _styled(self.prompt.strip(), self.style_prompt) or None,
            "negative_prompt": ", ".join(text for text in (self.negative_prompt.strip(), self.style_negative) if text) or None,
        }
        if "method" in taken and self.method != "auto":
            asked["upscaling"] = {"mode": self.method}
        return Parameters(**{name: value for name, value in asked.items() if value is not None})

    def result_box(self, box: Box) -> Box:
        """Where the result goes when the task's own place is `box`: only upscaling changes it."""
        return box.scaled(self.scale) if self.about.enlarges else box

    def result_name(self, original: str) -> str:
        """What the server is to call the result: a larger layer as the original; empty names all else after its prompt."""
        return clean(original)[:LONGEST_NAME] if self.about.enlarges else ""

    def complaint(self, box: Box) -> str | None:
        """What has to be changed before this can be asked of the server; `None` when nothing."""
        asked = self.parameters()
        if wrong := complaint(self.task, values_of(asked), self.about.conditions):
            return " ".join(sentence(said(text)) for text in (wrong.message, wrong.hint) if text)
        last = self.seed + asked.count - 1
        if last > LARGEST_SEED:
            return _(
                "The last candidate would have the seed {seed}; the largest is {largest}. Give a smaller seed or count."
            ).format(seed=last, largest=LARGEST_SEED)
        return too_large(self.result_box(box))

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def _asked(value: Any) -> Any:
    """A field's value as a parameter: texts without the spaces around them, `None` for what is left to the model."""
    if isinstance(value, Mapping):
        return {role: text.strip() for role, text in value.items() if text.strip()}
    return (value.strip() or None) if isinstance(value, str) else value


def _styled(prompt: str, style: str) -> str:
    """The prompt in the place that a style has for it, or before the style; no prompt is no prompt in any style."""
    if not prompt or not style:
        return prompt
    return style.replace(PLACE, prompt) if PLACE in style else f"{prompt}, {style}"


def _unstyled(prompt: str, style: str) -> str:
    """The prompt that `_styled` has made it from; the same where it was not."""
    before, place, after = style.partition(PLACE)
    if not place:
        before, after = "", f", {style}"
    around = style and PLACE not in after and len(prompt) > len(before) + len(after)
    fits = around and prompt.startswith(before) and prompt.endswith(after)
    return prompt[len(before) : len(prompt) - len(after)] if fits else prompt


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
    restored = {name: getattr(Form(), name) for name in (*SAMPLING, *WEIGHTS, *STYLE, "negative_prompt", "prompts")}
    return replace(_tolerant(replace(form, **restored), known), new_seed=False)


def with_words_of(made_with: Mapping[str, Any], form: Form) -> Form:
    """The form that asks for another version of a layer, with the words, model and sampler that made it."""
    plain = replace(form, **{name: getattr(Form(), name) for name in WORDS})
    found = _tolerant(plain, {name: made_with.get(name) for name in WORDS})
    avoided = "" if found.negative_prompt == form.style_negative else _unstyled(found.negative_prompt, form.style_negative)
    return replace(found, prompt=_unstyled(found.prompt, form.style_prompt), negative_prompt=avoided)


def _tolerant(form: Form, values: Mapping[str, Any]) -> Form:
    given = {one.name: values.get(one.name) for one in fields(Form)}
    fitting = {name: value for name, value in given.items() if value is not None and _fits(name, value)}
    if "loras" in fitting:  # JSON knows lists only; weights of single blocks are for the prompt's tags
        fitting["loras"] = tuple((name, float(weight)) for name, weight, *_ in fitting["loras"])
    return replace(form, **fitting)


def _fits(name: str, value: Any) -> bool:
    if name in CHOICES:
        return isinstance(value, str) and value in CHOICES[name]
    if name in ("new_seed", "grows"):
        return isinstance(value, bool)
    if name in (*STYLE, "besides"):
        return isinstance(value, str)
    return PARAMETERS[name].type.complaint(name, value) is None and (name != "seed" or value <= LARGEST_SEED)
