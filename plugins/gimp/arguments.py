"""The arguments of the procedures: names, labels, help texts, ranges and defaults, as the Procedure Browser shows them.

Does not know what is done with a value. Auxiliary arguments are the dialog's own: remembered between calls, but no part of the
signature that scripts call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from acetate.plugins.bridge.form import LARGEST_SEED, Form
from acetate.plugins.bridge.tasks import INJECTIONS, METHODS
from acetate.plugins.bridge.translations import _, marked
from acetate.vocabulary.parameters import SCHEDULERS, SPACINGS, range_of
from acetate.vocabulary.tasks import Task
from gi.repository import Gimp, GObject

from .values import ARGUMENT_OF, PROMPT_OF_ROLE, UNSET

BOTH_WAYS = GObject.ParamFlags.READWRITE
DEFAULTS = Form()

AREAS = (
    (
        "selection",
        marked("Selection or canvas"),
        marked("The selection's bounding box; the whole canvas when nothing is selected"),
    ),
    ("layer", marked("Layer"), marked("The box of the selected layer")),
    ("canvas", marked("Canvas"), marked("The whole canvas")),
    ("custom", marked("Custom size"), marked("The given width and height, centred on the selection or the canvas")),
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
    return name, lambda procedure: getattr(procedure, f"add_{kind}_argument")(name, _(label), _(meaning), *more, BOTH_WAYS)


def word(name: str, label: str, meaning: str, words: Iterable[str]) -> tuple[str, Adder]:
    """A text that is one of the words, or empty; GIMP would put a default in the place of a wrong one, which the server names."""

    def add(procedure: Gimp.Procedure) -> None:
        procedure.add_string_argument(name, _(label), f"{_(meaning)} ({', '.join(words)})", "", BOTH_WAYS)

    return name, add


def choice(name: str, label: str, meaning: str, entries: Iterable[tuple[str, str, str]], default: str) -> tuple[str, Adder]:
    """An argument that is one of several entries, each with a value, a label and a meaning."""

    def add(procedure: Gimp.Procedure) -> None:
        made = Gimp.Choice.new()
        for number, (nick, entry, about) in enumerate(entries):
            made.add(nick, number, _(entry), _(about))
        procedure.add_choice_argument(name, _(label), _(meaning), made, default, BOTH_WAYS)

    return name, add


def strength(default: float) -> tuple[str, Adder]:
    """How much changes where a script does not say is each task's own matter."""
    meaning = marked("How much may change: near 0 hardly anything, at 1 everything")
    return argument("double", "strength", marked("Strengt_h"), meaning, 0.01, 1, default)


OWN_SIZE = marked("In pixels, for a custom size; 0 without an image means the model's own")
PLACE = marked("Where the result goes and how large it is; without an open image, width and height decide")
WAYS = [(method, *words) for method, words in METHODS.items()]

# Mnemonics are chosen so that no two of one form are equal, nor to the window's own: Task, Keep, Load, Save, Reset, Close, Job.
# Scripts get exactly the seed that they give, so that a call can be repeated; the dialog draws one unless told not to.
ADDERS: dict[str, Adder] = dict(
    (
        argument("string", "prompt", marked("_Prompt"), marked("What to draw, in words"), ""),
        argument(
            "string",
            "foreground-prompt",
            marked("_Foreground"),
            marked("What the foreground shows, if it needs a prompt of its own"),
            "",
        ),
        argument(
            "string",
            "background-prompt",
            marked("_Background"),
            marked("What the background shows, if it needs a prompt of its own"),
            "",
        ),
        argument(
            "string", "model", marked("_Model"), marked("The name of a model on the server; empty means the server's default"), ""
        ),
        choice("area", marked("Si_ze from"), PLACE, AREAS, DEFAULTS.area),
        argument("int", "width", marked("_Width"), OWN_SIZE, 0, range_of("width")[1], UNSET),
        argument("int", "height", marked("_Height"), OWN_SIZE, 0, range_of("height")[1], UNSET),
        argument(
            "int",
            "count",
            marked("Cou_nt"),
            marked("How many candidates to make; several arrive as a group with the first one shown"),
            *range_of("count"),
            1,
        ),
        strength(DEFAULTS.strength),
        argument(
            "boolean",
            "lock-alpha",
            marked("Lock _alpha"),
            marked("Keep the layer's shape and change only its colours"),
            DEFAULTS.lock_alpha,
        ),
        argument(
            "double",
            "scale",
            marked("_Factor"),
            marked("How many times wider and taller; the top left corner stays in place"),
            *range_of("scale"),
            DEFAULTS.scale,
        ),
        choice(
            "method",
            marked("Met_hod"),
            marked("Whether a model redraws the enlarged layer, and what it redraws"),
            WAYS,
            DEFAULTS.method,
        ),
        argument(
            "uint",
            "seed",
            marked("S_eed"),
            marked("The same seed gives the same picture; candidate number i, from 0, has seed + i"),
            0,
            LARGEST_SEED,
            DEFAULTS.seed,
        ),
        argument("boolean_aux", "new-seed", marked("Ne_w each time"), marked("Choose a random seed before each run"), True),
        argument(
            "boolean",
            "hide-original",
            marked("Hide the or_iginal"),
            marked("Make the layer invisible below its new version; one that shows only a part of it leaves it as it is"),
            True,
        ),
        argument("string", "negative-prompt", marked("A_void"), marked("What to leave out, in words"), ""),
        argument(
            "string",
            "upscaler",
            marked("Upscaler"),
            marked("The name of an upscaling network on the server; empty means interpolation"),
            "",
        ),
        argument(
            "int",
            "steps",
            marked("Number _of steps"),
            marked("Denoising steps; 0 is the model's own number"),
            0,
            range_of("steps")[1],
            UNSET,
        ),
        argument(
            "double",
            "guidance",
            marked("G_uidance"),
            marked("How closely the prompt is followed; 0 means the model's own value"),
            *range_of("guidance_scale"),
            UNSET,
        ),
        word("scheduler", marked("Sampler"), marked("How a step leads to the next; empty is the model's own"), SCHEDULERS),
        word("spacing", marked("Spacing"), marked("How the noise levels of the steps lie; empty is the sampler's own"), SPACINGS),
        argument(
            "int",
            "clip-skip",
            marked("CLIP skip"),
            marked("Which layer of the text encoders is read, from the last; 0 is the model's own"),
            UNSET,
            range_of("clip_skip")[1],
            UNSET,
        ),
        argument(
            "boolean",
            "fast",
            marked("Fast"),
            marked("Few steps by a distilled LoRA of the server; what else is given counts more"),
            DEFAULTS.fast,
        ),
        argument("string", "loras", marked("LoRAs"), marked("Each as name or name:weight, separated by commas"), ""),
        argument(
            "double",
            "layer-weight",
            marked("Layer weight"),
            marked("Strength of the weights that make layers; 1 is what they were trained for"),
            *range_of("layer_weight"),
            DEFAULTS.layer_weight,
        ),
        argument(
            "double",
            "stop-at",
            marked("Stop at"),
            marked("The base model finishes the picture after this share"),
            *range_of("stop_at"),
            DEFAULTS.stop_at,
        ),
        choice(
            "injection",
            marked("Injection"),
            marked("Which of SDXL's two weights for transparency draw the layer"),
            [(one, label, "") for one, label in INJECTIONS.items()],
            DEFAULTS.injection,
        ),
        argument(
            "boolean",
            "enlarge-canvas",
            marked("Enlarge the canvas"),
            marked("Let the canvas grow where the larger layer reaches beyond it"),
            DEFAULTS.grows,
        ),
    )
)
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


_name, add_file = argument(
    "file", "file", marked("_File"), marked("A PSD, OpenRaster or PNG file"), Gimp.FileChooserAction.OPEN, False, None
)
_name, add_masks = argument(
    "boolean",
    "keep-masks",
    marked("Keep _masks"),
    marked("Masks of the file stay masks; else they are worked into the transparency"),
    True,
)
_name, add_job = argument(
    "string", "job", marked("_Result"), marked("The id of a finished job in the server's history; empty means the newest"), ""
)
_name, add_convert_indexed = argument(
    "boolean",
    "convert-indexed",
    marked("_Convert to RGB"),
    marked("Convert a palette image to RGB; else it is refused (a dialog asks)"),
    False,
)
_name, add_time_limit = argument(
    "int",
    "time-limit",
    marked("_Give up after"),
    marked("Seconds until a run without a dialog is stopped, on the server too"),
    1,
    604800,
    3600,
)
_name, add_keep_open = argument(
    "boolean_aux", "keep-open", marked("Keep this window open"), marked("Leave the window open for the next try"), True
)


def add_returned_layers(procedure: Gimp.Procedure) -> None:
    order = _("The new layers: candidate by candidate, each as its task makes them (object, background, both together)")
    procedure.add_core_object_array_return_value("layers", _("Layers"), order, Gimp.Layer.__gtype__, BOTH_WAYS)
    procedure.add_int32_array_return_value(
        "layer-ids", _("Layer IDs"), _("The same layers by their ids, in the same order"), BOTH_WAYS
    )
