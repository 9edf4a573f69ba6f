"""The tasks as an artist chooses them, the ways to enlarge a layer and those of its transparency.

Knows the vocabulary's rows; knows no widget, and does not know which of them a server's models can do.
"""

from __future__ import annotations

from acetate.vocabulary.tasks import TASKS

from .translations import marked

BY_NAME = {name: task for name, task in TASKS.items() if task.in_editors}
"""The tasks that editors offer, in the order of their lists."""
SINGLE_STEPS = {name: task for name, task in TASKS.items() if not task.in_editors}
"""Single steps of the others, which only some models can do."""

INJECTIONS = {"attention": marked("By attention"), "convolution": marked("By convolution")}
"""The ways in which SDXL's weights for transparency act on a model."""
METHODS = {
    "auto": (
        marked("As the model can"),
        marked("An SD or SDXL model redraws the colours; without one, the layer is only enlarged"),
    ),
    "enlarge": (marked("Enlarge only"), marked("Enlarge by interpolation or an upscaling network; nothing is redrawn")),
    "redraw": (
        marked("Redraw the colours"),
        marked("Enlarge, then redraw the colours with an SD or SDXL model; the shape stays"),
    ),
    "refine": (
        marked("Refine the layer"),
        marked("Enlarge, then redraw the layer with its transparency; the shape may change a little"),
    ),
}
"""The ways to upscale a layer: the engine's mode -> label and tooltip."""
