"""One window at a time: a call that finds another's window hands over what it was about, and ends.

The window's process registers a procedure for as long as it is open; GIMP passes the call on to it. Knows no widget.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from acetate.plugins.bridge.translations import _
from gi.repository import Gimp, GLib, GObject

NAME = "acetate-show-window"
READ_WRITE = GObject.ParamFlags.READWRITE


def shown_by_another(command: str, image: Gimp.Image | None) -> bool:
    """Whether there is a window already, which now shows what the procedure `command` is for, on this image."""
    procedure = Gimp.get_pdb().lookup_procedure(NAME)
    if procedure is None:
        return False
    config = procedure.create_config()
    config.set_property("command", command)
    if image is not None:
        config.set_property("image", image)
    return int(procedure.run(config).index(0)) == int(Gimp.PDBStatusType.SUCCESS)


@contextlib.contextmanager
def answering(plug_in: Gimp.PlugIn, show: Callable[[str, Gimp.Image | None], None]) -> Iterator[None]:
    """Inside the block `show` is called with procedure and image whenever another call wants its window."""

    def run(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, _data: Any) -> Gimp.ValueArray:
        GLib.idle_add(lambda: show(config.get_property("command"), config.get_property("image")))
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())

    procedure = Gimp.Procedure.new(plug_in, NAME, Gimp.PDBProcType.TEMPORARY, run, None)
    procedure.set_documentation(_("Show the window of Acetate that is open"), _("Used by Acetate's own procedures."), None)
    wanted_for = _("The procedure that the window is wanted for")
    procedure.add_string_argument("command", _("Command"), wanted_for, "", READ_WRITE)
    procedure.add_image_argument("image", _("Image"), _("The image to work on"), True, READ_WRITE)
    plug_in.add_temp_procedure(procedure)
    plug_in.persistent_enable()
    try:
        yield
    finally:
        plug_in.remove_temp_procedure(NAME)
