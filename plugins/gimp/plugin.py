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
from acetate.plugins.bridge.translations import _, of_environment, speak
from gi.repository import Gimp, Gio, GLib, GObject

from . import manual
from .commands import BY_PROCEDURE, registered
from .host import StoppedError
from .job_run import carry_out
from .procedure_call import ProcedureCall
from .server_questions import QUESTIONS


class Acetate(Gimp.PlugIn):
    """One plug-in, one process per call. GIMP asks for the names at its start, so nothing here touches network or screen."""

    def do_set_i18n(self, _name: str) -> bool:
        return False  # the plug-in has its own catalogues, those of its texts that Krita shows as well

    def do_query_procedures(self) -> list[str]:
        with contextlib.suppress(OSError):  # without a manual everything else works
            self.set_help_domain(manual.DOMAIN, Gio.File.new_for_path(str(manual.unpacked())))
        return [*BY_PROCEDURE, *QUESTIONS]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        if name in QUESTIONS:
            return QUESTIONS[name].registered(self)
        return registered(self, BY_PROCEDURE[name], _run)


def main() -> None:
    speak(of_environment())
    Gimp.main(Acetate.__gtype__, sys.argv)


def _run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image | None,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    _data: Any,
) -> Gimp.ValueArray:
    # An image may be closed between two questions about it: that is for us to see, and no box for a person to read.
    procedure.get_plug_in().set_pdb_error_handler(Gimp.PDBErrorHandler.PLUGIN)
    call = ProcedureCall(procedure, BY_PROCEDURE[procedure.get_name()], run_mode, image, tuple(drawables), config)
    try:
        layers = carry_out(call)
    except RefusedError as refusal:
        return _failed(procedure, str(refusal))
    except StoppedError:
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, GLib.Error())
    except Exception as error:
        traceback.print_exc()
        text = _("An error in Acetate: {error}. The terminal that GIMP was started from shows where.")
        return _failed(procedure, text.format(error=repr(error)))
    if call.interactive:
        return procedure.new_return_values(_end_of_a_dialog(call), GLib.Error())
    return _succeeded(procedure, layers)


def _failed(procedure: Gimp.Procedure, text: str) -> Gimp.ValueArray:
    """GIMP itself shows the text: in a box, the status bar, or to the script that called."""
    error = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), text, 0)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)


def _end_of_a_dialog(call: ProcedureCall) -> Gimp.PDBStatusType:
    """GIMP keeps the last values on the call's image after a success, and complains when the image is gone by then.

    Nobody reads the layers of a call with a dialog, whose results may lie in several images.
    """
    gone = call.image is not None and not call.image.is_valid()
    return Gimp.PDBStatusType.CANCEL if gone else Gimp.PDBStatusType.SUCCESS


def _succeeded(procedure: Gimp.Procedure, layers: Sequence[Gimp.Layer]) -> Gimp.ValueArray:
    """The return values of a success, with the layers and their ids.

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
        answer = question.run(config)
    finally:
        with contextlib.suppress(Exception):
            image.set_selected_layers(selected)
    ids = GObject.Value(GObject.type_from_name("GimpInt32Array"))
    Gimp.value_set_int32_array(ids, [layer.get_id() for layer in present])
    answer.append(ids)
    return answer
