"""Every parameter once: its name, its type, its range or choices, its default, and one line about it.

The engine's check, the wire, the command line, the editors' forms and docs/models.md read these rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from .roles import ROLES
from .upscaling import OPTIONS
from .value_types import Choice, Flag, FreeText, ListedName, NamedValues, Number, TextOfEach, ValueType, WeightedNames, Whole

LARGEST_SIDE = 8192
"""The longest side of a layer that can be made, in pixels."""
LONGEST_PROMPT = 10_000
"""The longest prompt, in characters."""
LONGEST_TEXTS = 60 * 1024
"""The most bytes that all prompts and names of a request have as JSON: with all else they fit in a message of 64 KiB."""
NOISE_LEVELS = 1000
"""The noise levels that every model was trained at: more steps would visit some of them twice."""

SCHEDULERS = (
    *("dpmpp-2m-karras", "dpmpp-2m-sde-karras", "euler", "euler-a", "unipc", "lcm", "tcd", "ddim", "heun", "lms", "deis"),
    *("dpmpp-2m", "dpmpp-2m-sde", "dpmpp-3m-sde", "dpmpp-sde", "dpmpp-2s-a", "dpm2"),
)
"""The first is what LayerDiffuse's references use."""
FLOW_SCHEDULERS = ("flow-euler",)
"""Of models that learnt the straight way from noise to picture."""
SPACINGS = ("linspace", "karras", "exponential", "sgm-uniform", "simple", "ddim-uniform", "beta", "ays")
"""How the noise levels of a sampler's steps lie; few-step models are trained for `sgm-uniform`."""

LayerPrompts = Literal["replace", "add"]
"""What a layer's own prompt does to the main one: it takes its place, as in ComfyUI, or comes before it, as in Forge."""
Injection = Literal["attention", "convolution"]
ResizeMode = Literal["crop", "stretch", "fill"]
Wrap = Literal["auto", "on", "off"]
"""Whether a prompt is put into a model's own words for transparency; `auto` where a transparent layer is wanted."""
Passes = Literal[1, 2, 4, 8, "adaptive"]
"""Passes of the transparent decoder over flips and turns of the picture; the reference makes eight.

`adaptive` makes 1, 2, 4 and at most 8, until alpha changes by no more than a level of 255.
"""


def _row(type: ValueType, help: str, default: Any = None, *, make: Callable[[], Any] | None = None) -> Any:
    metadata = {"type": type, "help": help}
    return field(default_factory=make, metadata=metadata) if make else field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The numbers and words that fix a result; `None` means the model's default."""

    prompt: str = _row(FreeText(LONGEST_PROMPT), "what to draw; describe only the object for a transparent layer", "")
    negative_prompt: str = _row(FreeText(LONGEST_PROMPT), "what to avoid", "")
    prompts: Mapping[str, str] = _row(
        TextOfEach(ROLES, FreeText(LONGEST_PROMPT)), "a prompt for one layer alone; the main prompt serves the others", make=dict
    )
    layer_prompts: LayerPrompts = _row(
        Choice(get_args(LayerPrompts)), "a layer's own prompt alone, or added before the main one", "replace"
    )
    model: str | None = _row(ListedName(), "see `acetate models`; the built-in one is sketchpad")
    width: int | None = _row(Whole(1, LARGEST_SIDE), "any size in pixels; else that of the given picture, or the model's own")
    height: int | None = _row(Whole(1, LARGEST_SIDE), "as `width`")
    steps: int | None = _row(Whole(1, NOISE_LEVELS), "denoising steps")
    guidance_scale: float | None = _row(Number(0, 100), "how closely to follow the prompt; 1 takes it alone, in half the time")
    scheduler: str | None = _row(Choice((*SCHEDULERS, *FLOW_SCHEDULERS)), "the sampler: how a step leads to the next")
    spacing: str | None = _row(Choice(SPACINGS), "how the noise levels of the steps lie; else the scheduler's own way")
    clip_skip: int | None = _row(Whole(1, 12), "which layer of the text encoders is read, from the last")
    fast: bool = _row(Flag(), "few steps at guidance 1 by a distilled LoRA; what else is given counts more", False)
    seed: int = _row(Whole(0, 2**63 - 1), "the same seed gives the same picture", 0)
    count: int = _row(Whole(1, 64), "pictures, with seeds that count up", 1)
    strength: float | None = _row(Number(0, 1), "how far to go from the given layer, 0 to 1")
    lock_alpha: bool = _row(Flag(), "keep the layer's transparency and change its colours only", False)
    alpha_passes: Passes | None = _row(
        Choice(get_args(Passes)),
        "passes of the transparent decoder: fewer are faster, and adaptive makes no more than are needed",
    )
    injection: Injection = _row(Choice(get_args(Injection)), "which of SDXL's two weights for foregrounds", "attention")
    wrap: Wrap = _row(
        Choice(get_args(Wrap)), "put the prompt into the words by which models that draw RGBA themselves are asked for it", "auto"
    )
    layer_weight: float = _row(Number(-1, 3), "strength of SDXL's LayerDiffuse weights; 1 is the trained point", 1.0)
    stop_at: float = _row(Number(0, 1), "the base model finishes after this share, 0 to 1; of several runs it is the last", 1.0)
    resize_mode: ResizeMode = _row(Choice(get_args(ResizeMode)), "how given pictures of another size are brought to it", "crop")
    loras: tuple[tuple[Any, ...], ...] = _row(WeightedNames(Number(-10, 10), most=64), "LoRAs, each with a weight", ())
    scale: float = _row(Number(1, 16), "the factor; width and height, when given, are the target instead", 2.0)
    upscaler: str | None = _row(ListedName(), "an installed network by its name; Lanczos without one")
    upscaling: Mapping[str, Any] = _row(NamedValues(OPTIONS), "mode and tiles, where they differ from the defaults", make=dict)


@dataclass(frozen=True)
class Parameter:
    """What every part of the program knows about a parameter."""

    name: str
    type: ValueType
    help: str
    default: Any


def _parameter(one: Any) -> Parameter:
    default = one.default_factory() if callable(one.default_factory) else one.default
    return Parameter(one.name, one.metadata["type"], one.metadata["help"], default)


PARAMETERS: Mapping[str, Parameter] = {one.name: _parameter(one) for one in fields(Parameters)}
"""All parameters by name."""


def values_of(parameters: Parameters) -> dict[str, Any]:
    """Every parameter's value by its name."""
    return {name: getattr(parameters, name) for name in PARAMETERS}


def range_of(name: str) -> tuple[int, int]:
    """The least and the greatest value of a parameter that is a number."""
    type = PARAMETERS[name].type
    assert isinstance(type, (Whole, Number)), f"{name} has no range"
    return type.least, type.most
