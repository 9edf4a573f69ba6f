"""The small questions: whether an image may be converted, and which file. Imported only when there is a screen."""

from __future__ import annotations

from gi.repository import Gimp, GimpUi, Gtk

from .refused import StoppedError


def may_convert(image: Gimp.Image) -> bool:
    """Whether the person lets an image with a palette become RGB."""
    GimpUi.init("acetate")
    question = Gtk.MessageDialog(
        message_type=Gtk.MessageType.QUESTION,
        text=f"Convert {image.get_name()} to RGB?",
        title="Acetate",
        buttons=Gtk.ButtonsType.NONE,
    )
    question.format_secondary_text(
        "Its colours come from a palette, which cannot hold a generated layer. The conversion belongs to the same undo step "
        "as the new layer."
    )
    question.add_button("_Cancel", Gtk.ResponseType.CANCEL)
    question.add_button("Con_vert", Gtk.ResponseType.OK)
    question.set_default_response(Gtk.ResponseType.OK)
    answer = question.run()
    question.destroy()
    return bool(answer == Gtk.ResponseType.OK)


def ask_for_file(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig) -> None:
    """Let the person choose the file argument. Raises `StoppedError` when none is wanted."""
    GimpUi.init(procedure.get_name())
    dialog = GimpUi.ProcedureDialog.new(procedure, config, "Insert Layers from File")
    dialog.set_ok_label("_Insert")
    dialog.fill(["file"])
    button = dialog.get_widget_for_response(Gtk.ResponseType.OK)

    def adapt(*_: object) -> None:
        button.set_sensitive(config.get_property("file") is not None)

    config.connect("notify::file", adapt)
    adapt()
    chosen = dialog.run()
    dialog.destroy()
    if not chosen:
        raise StoppedError
