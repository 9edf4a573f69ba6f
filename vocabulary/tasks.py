"""A task is one row: what it is called, which pictures it takes, which layers it makes, which parameters it heeds.

Whether a model can do it depends on the weights of its family, which are not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .roles import Given, Role

_WORDS = (
    "prompt",
    "negative_prompt",
    "clip_skip",
    "model",
    "steps",
    "guidance_scale",
    "scheduler",
    "spacing",
    "fast",
    "seed",
    "count",
    "loras",
)
_SIZE = ("width", "height")
_LAYERS = ("alpha_passes", "injection", "layer_weight", "stop_at", "wrap")
_INSTRUCTED = ("prompt", "negative_prompt", "model", "steps", "guidance_scale", "scheduler", "seed", "count", "wrap")
_SEVERAL = (*_WORDS, *_SIZE, *_LAYERS, "prompts", "layer_prompts", "resize_mode", "strength")
"""The parameters of tasks that make several layers, or one that fits others."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What every part of the program knows about a task."""

    name: str
    label: str
    """What an editor's list calls it."""
    verb: str
    """What an editor's button says."""
    meaning: str
    """What it makes, in a phrase for a tooltip."""
    makes: tuple[Role, ...]
    """The layers of one picture, in the order that they come in."""
    needs: tuple[Given, ...] = ()
    """Pictures that it cannot do without; the first is the layer that an editor has active."""
    one_of: tuple[Given, ...] = ()
    """Pictures of which it takes exactly one."""
    optional: tuple[Given, ...] = ()
    """Further pictures that it heeds where they are given."""
    from_nothing: bool = False
    """Whether it takes no rough picture to begin from."""
    instructed: bool = False
    """Whether its prompt says what becomes of the source, which the model sees; else it says what the result shows."""
    takes_apart: bool = False
    """Whether its layers together show the source exactly."""
    parameters: tuple[str, ...]
    """The names of the parameters that it heeds."""
    fields: tuple[str, ...] = ()
    """The fields that an editor shows for it, besides prompt, model, seed and the numbers of the sampler."""
    needs_prompt: bool = True
    strength: float = 0.6
    """How far it goes from its source where the request does not say."""
    enlarges: bool = False
    """Whether the result is larger than its source, which is enlarged before anything is drawn."""
    in_editors: bool = True
    """Whether every editor offers it; else only those with room for single steps, and where a model can do it."""

    @property
    def conditions(self) -> tuple[Given, ...]:
        """A smallest set of pictures that it can work with."""
        return self.needs + self.one_of[:1]

    @property
    def accepts(self) -> frozenset[Given]:
        """The pictures that it heeds."""
        return frozenset((*self.needs, *self.one_of, *self.optional, *(() if self.from_nothing else ("source",))))

    @property
    def takes(self) -> Given | None:
        """The role in which a single layer is given to it; `None` where it needs no layer, or several."""
        pictures = [one for one in self.needs if one != "mask"]
        return pictures[0] if len(pictures) == 1 else None

    @property
    def worked_on(self) -> Given | None:
        """The role in which an editor gives its active layer; `None` where the task needs none."""
        pictures = [one for one in (*self.needs, *self.one_of) if one != "mask"]
        return pictures[0] if pictures else None

    @property
    def besides(self) -> Given | None:
        """The role of a second layer that it cannot do without."""
        pictures = [one for one in self.needs if one != "mask"]
        return pictures[1] if len(pictures) > 1 else None

    @property
    def replaces(self) -> bool:
        """Whether the result is another version of a layer."""
        return "source" in self.needs

    @property
    def keeps_size(self) -> bool:
        """Whether the result has the size and place of the layer that it is another version of."""
        return self.replaces and not self.enlarges

    @property
    def masked(self) -> bool:
        """Whether only what a mask selects may change."""
        return "mask" in self.needs

    @property
    def product(self) -> Role | None:
        """The layer that is asked for, of which a source is a rough version; `None` where it is one of all layers together."""
        wanted = tuple(role for role in self.makes if role != "blended") or self.makes
        return wanted[0] if len(wanted) == 1 else None

    def hides(self, role: Role) -> bool:
        """Whether that layer is only a reference: the picture of all the others together."""
        return role == "blended" and self.makes != ("blended",)


_ROWS = (
    Task(
        name="foreground",
        label="Layer",
        verb="Generate",
        meaning="A new layer with real transparency, from the prompt alone",
        makes=("foreground",),
        from_nothing=True,
        parameters=(*_WORDS, *_SIZE, *_LAYERS),
        fields=("area", "count"),
    ),
    Task(
        name="scene",
        label="Scene",
        verb="Generate scene",
        meaning="An object, the background behind it and both together, as a group",
        makes=("foreground", "background", "blended"),
        parameters=_SEVERAL,
        fields=("area", "count", "prompts"),
    ),
    Task(
        name="object",
        label="Object on this background",
        verb="Generate object",
        meaning="A new object that fits the active layer, which is its background",
        makes=("foreground", "blended"),
        needs=("background",),
        parameters=_SEVERAL,
        fields=("count", "prompts"),
    ),
    Task(
        name="background",
        label="Background for this layer",
        verb="Generate background",
        meaning="A background behind the active layer",
        makes=("background", "blended"),
        needs=("foreground",),
        parameters=_SEVERAL,
        fields=("area", "count", "prompts"),
    ),
    Task(
        name="blend",
        label="Blend",
        verb="Blend",
        meaning="The picture of both together, from a foreground or from a background",
        makes=("blended",),
        one_of=("foreground", "background"),
        parameters=_SEVERAL,
        fields=("area", "count"),
        in_editors=False,
    ),
    Task(
        name="extract-background",
        label="Extract background",
        verb="Extract background",
        meaning="What is behind the foreground of a picture",
        makes=("background",),
        needs=("foreground", "blended"),
        parameters=_SEVERAL,
        fields=("besides", "count"),
        in_editors=False,
    ),
    Task(
        name="extract-foreground",
        label="Extract foreground",
        verb="Extract foreground",
        meaning="What is before the background of a picture, with its transparency",
        makes=("foreground",),
        needs=("background", "blended"),
        parameters=_SEVERAL,
        fields=("besides", "count"),
        in_editors=False,
    ),
    Task(
        name="refine",
        label="Refine",
        verb="Refine",
        meaning="Another version of the active layer, with its transparency redrawn or kept",
        makes=("foreground",),
        needs=("source",),
        parameters=(*_WORDS, *_LAYERS, "strength", "lock_alpha"),
        fields=("count", "strength", "lock_alpha"),
        needs_prompt=False,
    ),
    Task(
        name="repaint",
        label="Repaint selection",
        verb="Repaint",
        meaning="The selected part of the active layer redrawn; everything else stays exactly as it is",
        makes=("foreground",),
        needs=("source", "mask"),
        parameters=(*_WORDS, *_LAYERS, "strength", "lock_alpha"),
        fields=("count", "strength"),
        needs_prompt=False,
        strength=1.0,
    ),
    Task(
        name="edit",
        label="Edit by instruction",
        verb="Edit",
        meaning="The active layer changed as the prompt says; what it does not speak of stays as it is",
        makes=("foreground",),
        needs=("source",),
        optional=("mask", "references"),
        instructed=True,
        parameters=(*_INSTRUCTED, "lock_alpha"),
        fields=("count", "lock_alpha"),
        in_editors=False,
    ),
    Task(
        name="extract",
        label="Cut out",
        verb="Cut out",
        meaning="What the prompt names, cut out of the active layer in its own colours",
        makes=("foreground",),
        needs=("source",),
        optional=("mask",),
        instructed=True,
        parameters=_INSTRUCTED,
        fields=("count",),
        needs_prompt=False,
        in_editors=False,
    ),
    Task(
        name="decompose",
        label="Take apart",
        verb="Take apart",
        meaning="What the prompt names and what is behind it, as layers that show the picture together",
        makes=("foreground", "background"),
        needs=("source",),
        instructed=True,
        takes_apart=True,
        parameters=_INSTRUCTED,
        fields=("count",),
        needs_prompt=False,
        in_editors=False,
    ),
    Task(
        name="upscale",
        label="Upscale",
        verb="Upscale",
        meaning="The active layer larger, without fringes at its edges",
        makes=("foreground",),
        needs=("source",),
        parameters=(*_WORDS, *_SIZE, *_LAYERS, "strength", "lock_alpha", "scale", "upscaler", "upscaling"),
        fields=("scale", "upscaler", "method"),
        needs_prompt=False,
        strength=0.2,  # above 0.3 a redrawn colour leaves its alpha
        enlarges=True,
    ),
)

TASKS: Mapping[str, Task] = {row.name: row for row in _ROWS}
"""All tasks by name, in the order in which an artist is shown them."""

DEFAULT = "foreground"
"""The task when none is named."""
