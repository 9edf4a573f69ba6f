"""The tasks as an artist chooses them, and the ways to make a layer larger.

Knows the vocabulary's rows; knows no widget, and does not know which of them a server's models can do.
"""

from __future__ import annotations

from acetate.vocabulary.tasks import TASKS

BY_NAME = {name: task for name, task in TASKS.items() if task.in_editors}
"""The tasks that editors offer, in the order of their lists."""

METHODS = {
    "auto": ("As the model can", "An SD or SDXL model draws the colours anew, without one the layer is only enlarged"),
    "enlarge": ("Enlarge only", "By interpolation or an upscaling network; nothing is drawn anew"),
    "redraw": ("Redraw the colours", "Enlarge, then draw the colours anew with an SD or SDXL model; the shape stays"),
    "refine": ("Refine the layer", "Enlarge, then draw the layer anew with its transparency; the shape may change a little"),
}
"""How a layer is upscaled: the engine's mode -> label and tooltip."""
