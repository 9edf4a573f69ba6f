"""The tasks as an artist chooses them: labels, what each needs from the open document, which fields it has.

Knows the vocabulary of the protocol; knows no widget, and does not know which of them a server's models can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Need = Literal["source", "foreground", "background"]

METHODS = {
    "auto": ("As the model can", "An SD or SDXL model draws the colours anew, without one the layer is only enlarged"),
    "enlarge": ("Enlarge only", "By interpolation or an upscaling network; nothing is drawn anew"),
    "redraw": ("Redraw the colours", "Enlarge, then draw the colours anew with an SD or SDXL model; the shape stays"),
    "refine": ("Refine the layer", "Enlarge, then draw the layer anew with its transparency; the shape may change a little"),
}
"""How a layer is upscaled: the engine's mode -> label and tooltip."""


@dataclass(frozen=True)
class Task:
    """One entry of the task choice."""

    name: str
    """The protocol's word."""
    label: str
    verb: str
    """On the button."""
    meaning: str
    """One sentence for a tooltip."""
    takes: Need | None = None
    """As which condition the active layer is sent; `None`: the task starts from nothing."""
    masked: bool = False
    """Whether the selection is sent as the mask."""
    fields: frozenset[str] = frozenset()
    """Which of the form's fields decide its result, beside prompt, model, seed and the numbers of the sampler."""
    needs_prompt: bool = True

    @property
    def replaces(self) -> bool:
        """Whether the result is another version of the active layer, at its place."""
        return self.takes == "source"


TASKS = (
    Task(
        "foreground",
        "Layer",
        "Generate",
        "A new layer with real transparency, from the prompt alone",
        fields=frozenset({"area", "count"}),
    ),
    Task(
        "scene",
        "Scene",
        "Generate scene",
        "An object, the background behind it and both together, as a group",
        fields=frozenset({"area", "count", "prompts"}),
    ),
    Task(
        "object",
        "Object on this background",
        "Generate object",
        "A new object that fits the active layer, which is its background",
        takes="background",
        fields=frozenset({"count", "prompts"}),
    ),
    Task(
        "background",
        "Background for this layer",
        "Generate background",
        "A background behind the active layer",
        takes="foreground",
        fields=frozenset({"area", "count", "prompts"}),
    ),
    Task(
        "refine",
        "Refine",
        "Refine",
        "Another version of the active layer, its transparency made anew or kept",
        takes="source",
        fields=frozenset({"count", "strength", "lock_alpha"}),
        needs_prompt=False,
    ),
    Task(
        "repaint",
        "Repaint selection",
        "Repaint",
        "The selected part of the active layer anew; everything else stays to the bit",
        takes="source",
        masked=True,
        fields=frozenset({"count", "strength"}),
        needs_prompt=False,
    ),
    Task(
        "upscale",
        "Upscale",
        "Upscale",
        "The active layer larger, without fringes at its edges",
        takes="source",
        fields=frozenset({"scale", "upscaler", "method"}),
        needs_prompt=False,
    ),
)
BY_NAME = {task.name: task for task in TASKS}
