"""The menu: which procedures there are, what they are called, what they take, and what they say about themselves.

Does not know how one is carried out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from acetate.plugins.bridge.tasks import BY_NAME
from acetate.plugins.bridge.translations import _, marked
from acetate.vocabulary.tasks import Task
from gi.repository import Gimp

from . import arguments

MENUS = ("<Image>/Filters/Acetate", "<Layers>/Layers Menu/Acetate")
"""The second is what a right click on a layer in the Layers dialog shows."""
MNEMONIC = re.compile(r"\(_\w\)|_")
"""The mark of an underlined letter, and such a letter by itself in languages that are not written in letters."""
AUTHORS, YEAR = "The Acetate authors", "2026"

RUNS = marked(
    """Needs the Acetate server; one is started if none is running. In a dialog the result can be watched and stopped. \
Without a dialog the call waits for the result, at most time-limit seconds, and returns the new layers. They lie above the \
given layer (a background below it), in its group, composited in sRGB-encoded values, and carry their generation parameters in \
the parasite "acetate". They are returned candidate by candidate, each as its task makes them. A procedure that works on a layer \
takes exactly one, of the image that is given; width and height count only for the area "custom", and without an image. What \
does not fit together is an error, never a guess."""
)
VERSION = marked(
    """Where only a part of an opaque layer is selected, that part with its surroundings is sent, and the new version is a layer \
of that size above the original, which stays visible. Else the new version has the original's size, takes over its mode, \
opacity, colour tag, locks and mask, and the original is hidden."""
)
"""What becomes of a layer of which a task makes a new version of the same size."""


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
    icon: str = "gimp-layer"
    """The name of one of GIMP's own icons."""
    needs_layer: bool = False
    """Whether the menu entry is greyed out when no layer is selected."""

    @property
    def title(self) -> str:
        """The title of the dialog."""
        return MNEMONIC.sub("", _(self.label)).rstrip(".…")

    @property
    def has_window(self) -> bool:
        """Whether a person does it in the window that stays open."""
        return self.task is not None or self.name == "acetate-history"

    @property
    def names(self) -> list[str]:
        """The arguments that affect the result."""
        return arguments.names_for(self.task) if self.task is not None else []


def _generating(name: str, label: str, task: str, blurb: str, help: str, icon: str = "gimp-layer") -> MenuCommand:
    about = BY_NAME[task]
    return MenuCommand(name, label, blurb, help, task=about, icon=icon, needs_layer=about.takes is not None)


COMMANDS = (
    _generating(
        "acetate-generate-layer",
        marked("_Generate Layer..."),
        "foreground",
        marked("Generate a layer with real transparency from a prompt"),
        marked(
            "The layer's alpha comes out of the model itself; nothing is cut out afterwards. Without an open "
            "image, one is created."
        ),
    ),
    _generating(
        "acetate-generate-scene",
        marked("Generate _Scene..."),
        "scene",
        marked("Generate an object, its background and both together, as a group"),
        marked("The two layers match in light and shadow. The picture of both together is the reference and arrives hidden."),
        icon="gimp-image",
    ),
    _generating(
        "acetate-object-on-background",
        marked("_Object on This Background..."),
        "object",
        marked("Generate an object that fits the selected layer as its background"),
        marked(
            "The given layer, as it looks with mask and filters, is the background; of a selection, its part with its "
            "surroundings. The object comes at that place and size."
        ),
        icon="gimp-layer-float",
    ),
    _generating(
        "acetate-background-for-layer",
        marked("_Background for This Layer..."),
        "background",
        marked("Generate a background behind the selected layer"),
        marked(
            "The given layer, as it looks with mask and filters, is the foreground and stays on top. The background comes below."
        ),
        icon="gimp-layer-to-image-size",
    ),
    _generating(
        "acetate-refine-layer",
        marked("_Refine Layer..."),
        "refine",
        marked("Generate another version of the selected layer, with its transparency redrawn or kept"),
        marked(
            "Starts from the given layer with its filters and, unless the mask is taken over, with its mask. With an empty "
            "prompt, a script gets the prompt and the model that the layer was made with, if Acetate made it."
        ),
        icon="view-refresh",
    ),
    _generating(
        "acetate-repaint-selection",
        marked("Re_paint Selection..."),
        "repaint",
        marked("Redraw the selected part of the layer; everything else stays exactly as it is"),
        marked("Soft edges of the selection blend; unselected pixels keep their values to the bit, at any depth."),
        icon="gimp-tool-paintbrush",
    ),
    _generating(
        "acetate-upscale-layer",
        marked("_Upscale Layer..."),
        "upscale",
        marked("Make the selected layer larger without fringes at its edges"),
        marked(
            "The top left corner stays. The layer is enlarged by an upscaling network of the server, if one is named, else by "
            "interpolation. Unless the method says otherwise, an SD or SDXL model then redraws the colours. The method enlarge "
            "without a network keeps depth and colour space; whatever a model draws is 8-bit sRGB."
        ),
        icon="gimp-scale",
    ),
    MenuCommand(
        "acetate-insert-layers-from-file",
        marked("_Insert Layers from File..."),
        marked("Insert the layers of a PSD, OpenRaster or PNG file"),
        marked(
            "The layers keep names, groups, places, opacity, modes, masks and, as far as the image has it, their depth; the "
            "file's top left corner lies on the canvas's."
        ),
        own=(arguments.add_file, arguments.add_masks),
        icon="document-open",
    ),
    MenuCommand(
        "acetate-repeat-with-new-seed",
        marked("Repeat with _New Seed"),
        marked("Generate again what made the selected layer, with another seed"),
        marked(
            "Prompt, model, place and all numbers are those kept on the layer. From the menu the seed is random; "
            "a script gives one."
        ),
        own=(arguments.ADDERS["seed"],),
        needs_layer=True,
        icon="gimp-reset",
    ),
    MenuCommand(
        "acetate-history",
        marked("_History..."),
        marked("Look through finished results and insert one again"),
        marked("The results lie on the server, shared by all editors, up to its size limit. A script gives the job's id."),
        own=(arguments.add_job,),
        icon="document-open-recent",
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
    procedure.set_menu_label(_(command.label))
    for menu in MENUS:  # GIMP sorts by the whole path, and shows nothing of what stands in brackets
        procedure.add_menu_path(f"{menu}/[{COMMANDS.index(command):02}]")
    procedure.set_icon_name(command.icon)
    told = (command.help, VERSION, RUNS) if command.task is not None and command.task.keeps_size else (command.help, RUNS)
    procedure.set_documentation(_(command.blurb), "\n\n".join(map(_, told)), command.name)
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
