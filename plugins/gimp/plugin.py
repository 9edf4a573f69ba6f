"""What GIMP calls: the procedures' registration, and one call from its arguments to its return values.

Does not know how a layer is made; catches everything, so that no call ends without telling the person why.
"""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from acetate.plugins.bridge.host import RefusedError
from gi.repository import Gimp, GLib

from .commands import BY_PROCEDURE, COMMANDS, registered
from .host import StoppedError
from .job_run import carry_out
from .procedure_call import ProcedureCall


class Acetate(Gimp.PlugIn):
    """One plug-in, one process per call. GIMP asks for the names at its start, so nothing here touches network or screen."""

    def do_set_i18n(self, _name: str) -> bool:
        return False  # no translations yet

    def do_query_procedures(self) -> list[str]:
        return [command.name for command in COMMANDS]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        return registered(self, BY_PROCEDURE[name], _run)


def main() -> None:
    Gimp.main(Acetate.__gtype__, sys.argv)


def _run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image | None,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    _data: Any,
) -> Gimp.ValueArray:
    call = ProcedureCall(procedure, BY_PROCEDURE[procedure.get_name()], run_mode, image, tuple(drawables), config)
    try:
        layers = carry_out(call)
    except RefusedError as refusal:
        return _failed(procedure, str(refusal))
    except StoppedError:
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, GLib.Error())
    except Exception as error:
        traceback.print_exc()
        return _failed(procedure, f"An error in Acetate: {error!r}. The terminal that GIMP was started from shows where.")
    return _succeeded(procedure, layers)


def _failed(procedure: Gimp.Procedure, text: str) -> Gimp.ValueArray:
    """GIMP itself shows the text: in a box, the status bar, or to the script that called."""
    error = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), text, 0)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)


def _succeeded(procedure: Gimp.Procedure, layers: Sequence[Gimp.Layer]) -> Gimp.ValueArray:
    """The return values of a success, with the layers.

    Python cannot build the array of objects that a return value needs (PyGObject 3.50: "Expected Boxed"). But a procedure of GIMP
    returns exactly such an array, so its answer serves as ours: the image's selected layers, which are these for that moment.
    """
    present = [layer for layer in layers if layer.is_valid()]
    if not present:
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())
    image = present[0].get_image()
    selected = image.get_selected_layers()
    question = Gimp.get_pdb().lookup_procedure("gimp-image-get-selected-layers")
    config = question.create_config()
    config.set_property("image", image)
    image.set_selected_layers(present[::-1])
    try:
        return question.run(config)
    finally:
        with contextlib.suppress(Exception):
            image.set_selected_layers(selected)
