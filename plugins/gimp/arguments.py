"""The arguments of the procedures: names, labels, help texts, ranges and defaults, as the Procedure Browser shows them.

Does not know what is done with a value. Auxiliary arguments are the dialog's own: remembered between calls, but no part of the
signature that scripts call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, get_args

from acetate.plugins.bridge.form import LARGEST_SEED, Form
from acetate.plugins.bridge.tasks import METHODS
from acetate.vocabulary.parameters import SCHEDULERS, SPACINGS, Injection, range_of
from acetate.vocabulary.tasks import Task
from gi.repository import Gimp, GObject

from .values import ARGUMENT_OF, PROMPT_OF_ROLE, UNSET

BOTH_WAYS = GObject.ParamFlags.READWRITE
DEFAULTS = Form()

AREAS = (
    ("selection", "Selection or canvas", "The selection's bounding box; the whole canvas when nothing is selected"),
    ("layer", "Layer", "The box of the selected layer"),
    ("canvas", "Canvas", "The whole canvas"),
    ("custom", "Custom size", "The given width and height, centred on the selection or the canvas"),
)


def names_for(task: Task) -> list[str]:
    """The arguments that affect a task's result, in the dialog's order."""
    heeded = {ARGUMENT_OF.get(field, field) for field in task.fields}
    if "area" in heeded:
        heeded |= {"width", "height"}
    if "prompts" in heeded:
        heeded |= set(PROMPT_OF_ROLE.values())
    if task.replaces:
        heeded.add("hide-original")
    if task.enlarges:
        heeded.add("enlarge-canvas")
    return [name for name in ADDERS if name in heeded or name not in OF_SOME_TASKS]


Adder = Callable[[Gimp.Procedure], None]


def argument(kind: str, name: str, label: str, meaning: str, *more: Any) -> tuple[str, Adder]:
    """An argument's name, and what adds it to a procedure; `more` is its range and default as GIMP takes them for the kind."""
    return name, lambda procedure: getattr(procedure, f"add_{kind}_argument")(name, label, meaning, *more, BOTH_WAYS)


def choice(name: str, label: str, meaning: str, entries: Iterable[tuple[str, str, str]], default: str) -> tuple[str, Adder]:
    """An argument that is one of several entries, each with a value, a label and a meaning."""

    def add(procedure: Gimp.Procedure) -> None:
        made = Gimp.Choice.new()
        for number, (nick, entry, about) in enumerate(entries):
            made.add(nick, number, entry, about)
        procedure.add_choice_argument(name, label, meaning, made, default, BOTH_WAYS)

    return name, add


def strength(default: float) -> tuple[str, Adder]:
    """How much changes where a script does not say is each task's own matter."""
    meaning = "How much may change: near 0 hardly anything, at 1 everything"
    return argument("double", "strength", "S_trength", meaning, 0.01, 1, default)


OWN_SIZE = "In pixels, for a custom size; 0 without an image means the model's own"
PLACE = "Where the result goes and how large it is; without an open image, width and height decide"
WAYS = [(method, *words) for method, words in METHODS.items()]

# Mnemonics are chosen so that no two of one dialog are equal, nor equal to GIMP's own there: Load, Save, Reset, Close, Generate.
# Scripts get exactly the seed that they give, so that a call can be repeated; the dialog draws one unless told not to.
# fmt: off
ADDERS: dict[str, Adder] = dict((
    argument("string", "prompt", "_Prompt", "What to draw, in words", ""),
    argument("string", "foreground-prompt", "_Foreground", "What the foreground shows, if it needs a prompt of its own", ""),
    argument("string", "background-prompt", "_Background", "What the background shows, if it needs a prompt of its own", ""),
    argument("string", "model", "_Model", "The name of a model on the server; empty means the server's default", ""),
    choice("area", "Si_ze from", PLACE, AREAS, DEFAULTS.area),
    argument("int", "width", "_Width", OWN_SIZE, 0, range_of("width")[1], UNSET),
    argument("int", "height", "_Height", OWN_SIZE, 0, range_of("height")[1], UNSET),
    argument("int", "count", "Cou_nt", "How many candidates to make; several arrive as a group with the first one shown",
             *range_of("count"), 1),
    strength(DEFAULTS.strength),
    argument("boolean", "lock-alpha", "Lock _alpha", "Keep the layer's shape and change only its colours", DEFAULTS.lock_alpha),
    argument("double", "scale", "_Factor", "How many times wider and taller; the top left corner stays in place",
             *range_of("scale"), DEFAULTS.scale),
    choice("method", "Me_thod", "Whether a model redraws the enlarged layer, and what it redraws", WAYS, DEFAULTS.method),
    argument("uint", "seed", "S_eed", "The same seed gives the same picture; candidate number i, from 0, has seed + i",
             0, LARGEST_SEED, DEFAULTS.seed),
    argument("boolean_aux", "new-seed", "Ne_w each time", "Choose a random seed before each run", True),
    argument("boolean", "hide-original", "Hide the or_iginal",
             "Make the layer invisible below its new version; one that shows only a part of it leaves it as it is", True),
    argument("string", "negative-prompt", "A_void", "What to leave out, in words", ""),
    argument("string", "upscaler", "Upsc_aler", "The name of an upscaling network on the server; empty means interpolation", ""),
    argument("int", "steps", "Number _of steps", "Denoising steps; 0 is the model's own number", 0, range_of("steps")[1], UNSET),
    argument("double", "guidance", "G_uidance", "How closely the prompt is followed; 0 means the model's own value",
             *range_of("guidance_scale"), UNSET),
    argument("string", "scheduler", "Sampler", f"How a step leads to the next: {', '.join(SCHEDULERS)}; empty is the model's own", ""),
    argument("string", "spacing", "Spacing", f"How the noise levels of the steps lie: {', '.join(SPACINGS)}; empty is the sampler's own",
             ""),
    argument("int", "clip-skip", "CLIP skip", "Which layer of the text encoders is read, from the last; 0 is the model's own",
             UNSET, range_of("clip_skip")[1], UNSET),
    argument("boolean", "fast", "Fast", "Few steps by a distilled LoRA of the server; what else is given counts more", False),
    argument("string", "loras", "LoRAs", "Each as name or name:weight, separated by commas", ""),
    argument("double", "layer-weight", "Layer weight", "Strength of the weights that make layers; 1 is what they were trained for",
             *range_of("layer_weight"), DEFAULTS.layer_weight),
    argument("double", "stop-at", "Stop at", "The base model finishes the picture after this share", *range_of("stop_at"),
             DEFAULTS.stop_at),
    choice("injection", "Injection", "Which of SDXL's two weights for transparency draw the layer",
           [(one, one.capitalize(), "") for one in get_args(Injection)], DEFAULTS.injection),
    argument("boolean", "enlarge-canvas", "Enlarge the canvas", "Let the canvas grow where the larger layer reaches beyond it", False),
))
# fmt: on
"""Every argument of a generating procedure, in the dialog's order."""

OF_SOME_TASKS = frozenset(PROMPT_OF_ROLE.values()) | {
    "area", "width", "height", "count", "strength", "lock-alpha", "scale", "upscaler", "method", "hide-original",
    "enlarge-canvas",
}  # fmt: skip
"""The arguments that only some tasks have, those with such a field; every task has the others."""

LATEST = (
    *("method", "scheduler", "spacing", "clip-skip", "fast", "loras", "layer-weight", "stop-at", "injection", "enlarge-canvas"),
)
"""The arguments that were added later: they come last in a procedure, so that the others stay where scripts have them."""
MORE = ("negative-prompt", "upscaler", "steps", "guidance", *LATEST[1:-1])
"""The arguments that the dialog shows in its expander."""


_, add_file = argument("file", "file", "_File", "A PSD, OpenRaster or PNG file", Gimp.FileChooserAction.OPEN, False, None)
_, add_masks = argument(
    "boolean", "keep-masks", "Keep _masks", "Masks of the file stay masks; else they are worked into the transparency", True
)
_, add_job = argument("string", "job", "_Result", "The id of a finished job in the server's history; empty means the newest", "")
_, add_convert_indexed = argument(
    "boolean",
    "convert-indexed",
    "_Convert to RGB",
    "Convert a palette image to RGB; else it is refused (a dialog asks)",
    False,
)
_, add_time_limit = argument(
    "int", "time-limit", "_Give up after", "Seconds until a run without a dialog is stopped, on the server too", 1, 604800, 3600
)
_, add_keep_open = argument("boolean_aux", "keep-open", "_Keep this dialog open", "Leave the dialog open for the next try", True)


def add_returned_layers(procedure: Gimp.Procedure) -> None:
    order = "The new layers: candidate by candidate, each as its task makes them (object, background, both together)"
    procedure.add_core_object_array_return_value("layers", "Layers", order, Gimp.Layer.__gtype__, BOTH_WAYS)
    procedure.add_int32_array_return_value("layer-ids", "Layer IDs", "The same layers by their ids, in the same order", BOTH_WAYS)
