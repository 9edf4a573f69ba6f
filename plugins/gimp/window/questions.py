"""The small questions: whether an image may be converted, which file to insert, where to save. Imported only with a screen."""

from __future__ import annotations

from pathlib import Path

from acetate.plugins.bridge.translations import _, marked
from acetate.vocabulary.layered_files import INSERTED
from gi.repository import Gimp, GimpUi, GLib, GObject, Gtk

from ..host import StoppedError

KINDS = {".psd": marked("Photoshop document"), ".ora": marked("OpenRaster"), ".png": marked("PNG image")}
"""The kinds of file that a result can be saved as; the first is offered first."""


def may_convert(image: Gimp.Image) -> bool:
    """Whether the person lets an image with a palette become RGB."""
    GimpUi.init("acetate")
    question = Gtk.MessageDialog(
        message_type=Gtk.MessageType.QUESTION,
        text=_("Convert {name} to RGB?").format(name=image.get_name()),
        title="Acetate",
        buttons=Gtk.ButtonsType.NONE,
    )
    question.format_secondary_text(
        _(
            "Its colours come from a palette, which cannot hold a generated layer. The conversion belongs to the same undo step "
            "as the new layer."
        )
    )
    question.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
    question.add_button(_("Con_vert"), Gtk.ResponseType.OK)
    question.set_default_response(Gtk.ResponseType.OK)
    answer = question.run()
    question.destroy()
    return bool(answer == Gtk.ResponseType.OK)


def ask_for_file(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig) -> None:
    """Let the person choose the file argument. Raises `StoppedError` if the person cancels."""
    GimpUi.init(procedure.get_name())
    dialog = GimpUi.ProcedureDialog.new(procedure, config, _("Insert Layers from File"))
    dialog.set_ok_label(_("_Insert"))
    _offer_kinds(dialog.get_widget("file", GObject.TYPE_NONE))
    dialog.fill(["file", "keep-masks"])
    button = dialog.get_widget_for_response(Gtk.ResponseType.OK)

    def adapt(*_: object) -> None:
        button.set_sensitive(config.get_property("file") is not None)

    config.connect("notify::file", adapt)
    adapt()
    chosen = dialog.run()
    dialog.destroy()
    if not chosen:
        raise StoppedError


def _offer_kinds(widget: Gtk.Widget) -> None:
    """Let the chooser inside the widget show the kinds of file that can be inserted, and only those."""
    if isinstance(widget, Gtk.FileChooser):
        kinds = Gtk.FileFilter()
        kinds.set_name(_("Layered files and pictures (PSD, OpenRaster, PNG)"))
        for suffix in INSERTED:
            for pattern in (f"*{suffix}", f"*{suffix.upper()}"):
                kinds.add_pattern(pattern)
        widget.add_filter(kinds)
    elif isinstance(widget, Gtk.Container):
        widget.forall(_offer_kinds)


def ask_for_path(parent: Gtk.Window, title: str, folder: Path | None) -> Path | None:
    """Ask where to save and, by the suffix, as what; `None` if the person cancels. `title` becomes the proposed name."""
    chooser = Gtk.FileChooserDialog(title=_("Save Result"), transient_for=parent, action=Gtk.FileChooserAction.SAVE)
    chooser.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
    chooser.add_button(_("_Save"), Gtk.ResponseType.ACCEPT)
    chooser.set_default_response(Gtk.ResponseType.ACCEPT)
    chooser.set_do_overwrite_confirmation(True)
    for suffix, kind in KINDS.items():
        pattern = Gtk.FileFilter()
        pattern.set_name(f"{_(kind)} (*{suffix})")
        pattern.add_pattern(f"*{suffix}")
        chooser.add_filter(pattern)
    chooser.connect("notify::filter", lambda *_: _adapt_suffix(chooser))
    pictures = GLib.get_user_special_dir(GLib.UserDirectory.DIRECTORY_PICTURES)
    chooser.set_current_folder(str(folder or pictures or Path.home()))
    chooser.set_current_name(title.replace("/", "-") + next(iter(KINDS)))
    path = None
    while path is None and chooser.run() == Gtk.ResponseType.ACCEPT:
        path = _with_suffix(chooser)
    chooser.destroy()
    return path


def _with_suffix(chooser: Gtk.FileChooserDialog) -> Path | None:
    """The chosen path. A name without a suffix gets the kind's; when there is such a file, the chooser has to ask again."""
    path = Path(chooser.get_filename())
    if path.suffix.lower() in KINDS:
        return path
    path = path.with_name(path.name + _suffix(chooser))
    if not path.exists():
        return path
    chooser.set_current_name(path.name)
    return None


def _adapt_suffix(chooser: Gtk.FileChooserDialog) -> None:
    """Another kind was chosen: the name follows."""
    name = Path(chooser.get_current_name() or "")
    if name.suffix.lower() in KINDS:
        chooser.set_current_name(name.stem + _suffix(chooser))


def _suffix(chooser: Gtk.FileChooserDialog) -> str:
    """The suffix of the kind that is chosen in the list below the names."""
    chosen: str = chooser.get_filter().get_name()
    return next(suffix for suffix in KINDS if chosen.endswith(f"(*{suffix})"))
