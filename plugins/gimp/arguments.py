"""The arguments of the procedures: names, labels, help texts, ranges and defaults, as the Procedure Browser shows them.

Does not know what is done with a value. Auxiliary arguments are the dialog's own: remembered between calls, but no part of the
signature that scripts call.
"""

from __future__ import annotations

from collections.abc import Callable

from acetate.plugins.bridge.form import LARGEST_SEED, Form
from acetate.plugins.bridge.tasks import METHODS
from acetate.vocabulary.parameters import range_of
from acetate.vocabulary.tasks import Task
from gi.repository import Gimp, GObject

from .values import ARGUMENT_OF, PROMPT_OF_ROLE, UNSET

BOTH_WAYS = GObject.ParamFlags.READWRITE
DEFAULTS = Form()

AREAS = (
    ("selection", "Selection or canvas", "The selection's bounding box; the whole canvas when nothing is selected"),
    ("layer", "Layer", "The box of the selected layer"),
    ("canvas", "Canvas", "The whole canvas"),
    ("custom", "Own size", "The given width and height, centred on the selection or the canvas"),
)


def names_for(task: Task) -> list[str]:
    """The arguments that decide a task's result, in the dialog's order."""
    heeded = {ARGUMENT_OF.get(field, field) for field in task.fields}
    if "area" in heeded:
        heeded |= {"width", "height"}
    if "prompts" in heeded:
        heeded |= set(PROMPT_OF_ROLE.values())
    if task.replaces:
        heeded.add("hide-original")
    return [name for name in ADDERS if name in heeded or name not in OF_SOME_TASKS]


def add_area(procedure: Gimp.Procedure) -> None:
    choice = Gimp.Choice.new()
    for number, (nick, label, meaning) in enumerate(AREAS):
        choice.add(nick, number, label, meaning)
    meaning = "Where the result goes and how large it is; without an open image width and height count"
    procedure.add_choice_argument("area", "Si_ze from", meaning, choice, DEFAULTS.area, BOTH_WAYS)


def add_method(procedure: Gimp.Procedure) -> None:
    choice = Gimp.Choice.new()
    for number, (nick, (label, meaning)) in enumerate(METHODS.items()):
        choice.add(nick, number, label, meaning)
    meaning = "Whether a model draws the enlarged layer anew, and what of it"
    procedure.add_choice_argument("method", "Me_thod", meaning, choice, DEFAULTS.method, BOTH_WAYS)


def add_string(name: str, label: str, meaning: str) -> Callable[[Gimp.Procedure], None]:
    return lambda procedure: procedure.add_string_argument(name, label, meaning, "", BOTH_WAYS)


def add_integer(name: str, label: str, meaning: str, low: int, high: int, default: int) -> Callable[[Gimp.Procedure], None]:
    return lambda procedure: procedure.add_int_argument(name, label, meaning, low, high, default, BOTH_WAYS)


def add_number(name: str, label: str, meaning: str, low: float, high: float, default: float) -> Callable[[Gimp.Procedure], None]:
    return lambda procedure: procedure.add_double_argument(name, label, meaning, low, high, default, BOTH_WAYS)


def add_switch(name: str, label: str, meaning: str, default: bool) -> Callable[[Gimp.Procedure], None]:
    return lambda procedure: procedure.add_boolean_argument(name, label, meaning, default, BOTH_WAYS)


def add_seed(procedure: Gimp.Procedure) -> None:
    """Scripts get exactly the seed that they give, so that a call can be repeated; the dialog draws one unless told not to."""
    meaning = "The same seed gives the same picture; candidate number i, from 0, has seed + i"
    procedure.add_uint_argument("seed", "S_eed", meaning, 0, LARGEST_SEED, DEFAULTS.seed, BOTH_WAYS)


def add_new_seed(procedure: Gimp.Procedure) -> None:
    procedure.add_boolean_aux_argument("new-seed", "Ne_w each time", "Draw a random seed before each run", True, BOTH_WAYS)


# Mnemonics are chosen so that no two of one dialog are equal, nor equal to GIMP's own there: Load, Save, Reset, Close, Generate.
ADDERS: dict[str, Callable[[Gimp.Procedure], None]] = {
    "prompt": add_string("prompt", "_Prompt", "What to draw, in words"),
    "foreground-prompt": add_string("foreground-prompt", "_Foreground", "What the foreground shows, if it needs its own words"),
    "background-prompt": add_string("background-prompt", "_Background", "What the background shows, if it needs its own words"),
    "model": add_string("model", "_Model", "A model of the server by its name; empty is the server's default"),
    "area": add_area,
    "width": add_integer(
        "width", "_Width", "In pixels, of an own size; 0 without an image is the model's own", 0, range_of("width")[1], UNSET
    ),
    "height": add_integer(
        "height", "_Height", "In pixels, of an own size; 0 without an image is the model's own", 0, range_of("height")[1], UNSET
    ),
    "count": add_integer(
        "count", "Cou_nt", "How many candidates; several arrive as a group with the first one shown", *range_of("count"), 1
    ),
    "strength": add_number(
        "strength", "S_trength", "How far to go from what is there: 0 hardly, 1 entirely", 0.01, 1, DEFAULTS.strength
    ),
    "lock-alpha": add_switch(
        "lock-alpha", "Lock _alpha", "Keep the layer's shape and change its colours only", DEFAULTS.lock_alpha
    ),
    "scale": add_number(
        "scale", "_Factor", "How many times wider and higher; the top left corner stays", *range_of("scale"), DEFAULTS.scale
    ),
    "method": add_method,
    "seed": add_seed,
    "new-seed": add_new_seed,
    "hide-original": add_switch(
        "hide-original", "Hide the or_iginal", "Make the layer invisible below its new version; nothing else of it changes", False
    ),
    "negative-prompt": add_string("negative-prompt", "A_void", "What should not be drawn, in words"),
    "upscaler": add_string("upscaler", "Upsc_aler", "An upscaling network of the server by its name; empty is interpolation"),
    "steps": add_integer(
        "steps", "Number _of steps", "Denoising steps; 0 is the model's own number", 0, range_of("steps")[1], UNSET
    ),
    "guidance": add_number(
        "guidance", "G_uidance", "How closely the prompt is followed; 0 is the model's own", *range_of("guidance_scale"), UNSET
    ),
}
"""Every argument of a generating procedure, in the dialog's order."""

OF_SOME_TASKS = frozenset(PROMPT_OF_ROLE.values()) | {
    "area", "width", "height", "count", "strength", "lock-alpha", "scale", "upscaler", "method", "hide-original",
}  # fmt: skip
"""Arguments of the tasks that have such a field; every task has the others."""

MORE = ("negative-prompt", "upscaler", "steps", "guidance")
"""Those that wait in the dialog's expander."""


LATEST = ("method",)
"""Those that came later: they stand last among a procedure's arguments, so that the others stay where scripts have them."""


def add_file(procedure: Gimp.Procedure) -> None:
    procedure.add_file_argument(
        "file", "_File", "A PSD, OpenRaster or PNG file", Gimp.FileChooserAction.OPEN, False, None, BOTH_WAYS
    )


add_job = add_string("job", "_Result", "The id of a finished job in the server's history; empty is the newest")

add_convert_indexed = add_switch(
    "convert-indexed", "_Convert to RGB", "Convert an image with a palette to RGB; otherwise it is refused (a dialog asks)", False
)

add_time_limit = add_integer(
    "time-limit", "_Give up after", "Seconds until a run without a dialog is stopped, on the server too", 1, 7 * 24 * 3600, 3600
)


def add_keep_open(procedure: Gimp.Procedure) -> None:
    procedure.add_boolean_aux_argument("keep-open", "_Keep this dialog open", "Stay for the next try", True, BOTH_WAYS)


def add_returned_layers(procedure: Gimp.Procedure) -> None:
    procedure.add_core_object_array_return_value(
        "layers", "Layers", "The new layers, lowest first; several share a group, their parent", Gimp.Layer.__gtype__, BOTH_WAYS
    )
