"""The menu: which procedures there are, what they are called, what they take, and what they say about themselves.

Does not know how one is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from acetate.plugins.bridge.tasks import BY_NAME
from acetate.vocabulary.tasks import Task
from gi.repository import Gimp

from . import arguments

MENU = "<Image>/Filters/Acetate"
AUTHORS, YEAR = "The Acetate authors", "2026"

RUNS = """Needs the Acetate server; one is started if none is running. In a dialog the result can be watched and stopped. \
Without a dialog the call waits for the result, at most time-limit seconds, and returns the new layers. They lie above the \
given layer (a background below it), in its group, composited in sRGB-encoded values, and carry their generation parameters in \
the parasite "acetate"."""


@dataclass(frozen=True)
class MenuCommand:
    """A procedure and its entry in the menu."""

    name: str
    label: str
    """The menu entry, with three dots when a dialog opens."""
    blurb: str
    help: str
    task: Task | None = None
    """The task of a procedure that generates something."""
    own: tuple[Callable[[Gimp.Procedure], None], ...] = ()
    """The arguments of a procedure without a task."""
    needs_layer: bool = False
    """Whether the menu entry is greyed out when no layer is selected."""

    @property
    def title(self) -> str:
        """The title of the dialog."""
        return self.label.replace("_", "").rstrip(".")

    @property
    def has_window(self) -> bool:
        """Whether a person does it in the window that stays open."""
        return self.task is not None or self.name == "acetate-history"

    @property
    def names(self) -> list[str]:
        """The arguments that affect the result."""
        return arguments.names_for(self.task) if self.task is not None else []


def _generating(name: str, label: str, task: str, blurb: str, help: str) -> MenuCommand:
    about = BY_NAME[task]
    return MenuCommand(name, label, blurb, help, task=about, needs_layer=about.takes is not None)


COMMANDS = (
    _generating(
        "acetate-generate-layer",
        "_Generate Layer...",
        "foreground",
        "Generate a layer with real transparency from a prompt",
        "The layer's alpha comes out of the model itself; nothing is cut out afterwards. Without an open image, one is created.",
    ),
    _generating(
        "acetate-generate-scene",
        "Generate _Scene...",
        "scene",
        "Generate an object, its background and both together, as a group",
        "The two layers match in light and shadow. The picture of both together is the reference and arrives hidden.",
    ),
    _generating(
        "acetate-object-on-background",
        "_Object on This Background...",
        "object",
        "Generate an object that fits the selected layer as its background",
        "The given layer, as it looks with mask and filters, is the background. The object comes at its place and size.",
    ),
    _generating(
        "acetate-background-for-layer",
        "_Background for This Layer...",
        "background",
        "Generate a background behind the selected layer",
        "The given layer, as it looks with mask and filters, is the foreground and stays on top. The background comes below.",
    ),
    _generating(
        "acetate-refine-layer",
        "_Refine Layer...",
        "refine",
        "Generate another version of the selected layer, with its transparency redrawn or kept",
        "Starts from the given layer as it looks with mask and filters. With an empty prompt, a script gets the prompt and the "
        "model that the layer was made with, if Acetate made it.",
    ),
    _generating(
        "acetate-repaint-selection",
        "Re_paint Selection...",
        "repaint",
        "Redraw the selected part of the layer; everything else stays exactly as it is",
        "Soft edges of the selection blend. The new version is a layer of its own at the original's place and size.",
    ),
    _generating(
        "acetate-upscale-layer",
        "_Upscale Layer...",
        "upscale",
        "Make the selected layer larger without fringes at its edges",
        "The top left corner stays. The layer is enlarged by an upscaling network of the server, if one is named, else by "
        "interpolation. Unless the method says otherwise, an SD or SDXL model then redraws the colours.",
    ),
    MenuCommand(
        "acetate-insert-layers-from-file",
        "_Insert Layers from File...",
        "Insert the layers of a PSD, OpenRaster or PNG file",
        "The layers keep names, groups, places, opacity, modes, masks and, as far as the image has it, their depth; the file's top "
        "left corner lies on the canvas's.",
        own=(arguments.add_file, arguments.add_masks),
    ),
    MenuCommand(
        "acetate-repeat-with-new-seed",
        "Repeat with _New Seed",
        "Generate again what made the selected layer, with another seed",
        "Prompt, model, place and all numbers are those kept on the layer. From the menu the seed is random; a script gives one.",
        own=(arguments.ADDERS["seed"],),
        needs_layer=True,
    ),
    MenuCommand(
        "acetate-history",
        "_History...",
        "Look through finished results and insert one again",
        "The results lie on the server, shared by all editors, up to its size limit. A script gives the job's id.",
        own=(arguments.add_job,),
    ),
)
BY_PROCEDURE = {command.name: command for command in COMMANDS}


def registered(plug_in: Gimp.PlugIn, command: MenuCommand, run: Callable[..., Gimp.ValueArray]) -> Gimp.Procedure:
    """The procedure as GIMP wants it described."""
    procedure = Gimp.ImageProcedure.new(plug_in, command.name, Gimp.PDBProcType.PLUGIN, run, None)
    procedure.set_image_types("*")
    when = Gimp.ProcedureSensitivityMask
    layer = when.DRAWABLE | when.DRAWABLES
    procedure.set_sensitivity_mask(layer if command.needs_layer else layer | when.NO_DRAWABLES | when.NO_IMAGE)
    procedure.set_menu_label(command.label)
    procedure.add_menu_path(MENU)
    procedure.set_documentation(command.blurb, f"{command.help}\n\n{RUNS}", None)
    procedure.set_attribution(AUTHORS, AUTHORS, YEAR)
    adders = {name: arguments.ADDERS[name] for name in command.names}
    if "strength" in adders and command.task is not None:
        adders |= [arguments.strength(command.task.strength)]
    latest = [adders.pop(name) for name in arguments.LATEST if name in adders]
    for add in (*adders.values(), *command.own, arguments.add_convert_indexed, arguments.add_time_limit, *latest):
        add(procedure)
    if command.task is not None:
        arguments.add_keep_open(procedure)
    arguments.add_returned_layers(procedure)
    return procedure
