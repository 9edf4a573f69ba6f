"""File dialogs that begin where the artist works, and propose a name. Knows Qt's dialogs and the document's file.

They do not block the event loop: generations and painting go on while one is open.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from acetate.plugins.bridge.translations import _, marked
from acetate.vocabulary.layered_files import INSERTED, patterns
from krita import Krita

from ..forms import settings
from ..qt import QtCore, QtWidgets, guarded

FILE_TYPES = marked("Layered pictures ({patterns})")
SAVE_TYPES = (marked("PNG picture (*.png)"), marked("Photoshop document (*.psd)"), marked("OpenRaster (*.ora)"))
NAME_CHARACTERS = 60


def ask_for_layers(parent: Any, then: Callable[[Path], None]) -> None:
    """Ask which file's layers to insert."""
    dialog = _dialog(parent, _("Insert Layers from File"), [_(FILE_TYPES).format(patterns=patterns(INSERTED))])
    dialog.setFileMode(QtWidgets.QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(guarded(lambda path: then(Path(path))))
    dialog.open()


def ask_where_to_save(parent: Any, title: str, then: Callable[[Path, str], None]) -> None:
    """Ask for a file's name, proposing one made of `title`; `then` gets the path and the suffix of the chosen type."""
    dialog = _dialog(parent, _("Save Result"), [_(one) for one in SAVE_TYPES])
    dialog.setAcceptMode(QtWidgets.QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("png")
    dialog.selectFile(f"{file_name(title)}.png")
    dialog.filterSelected.connect(guarded(lambda chosen: dialog.setDefaultSuffix(chosen.partition("*.")[2].rstrip(")"))))
    dialog.fileSelected.connect(guarded(lambda path: then(Path(path), dialog.defaultSuffix())))
    dialog.open()


def file_name(title: str) -> str:
    """A name that every system takes, from a prompt."""
    plain = re.sub(r'[<>:"/\\|?*\x00-\x1f]+', " ", title)
    return " ".join(plain.split())[:NAME_CHARACTERS].strip(" .") or "layer"


def folder() -> str:
    """The document's own folder, else the one that was used last, else that for pictures."""
    document = Krita.instance().activeDocument()
    file = document.fileName() if document is not None else ""
    if file and Path(file).parent.is_dir():
        return str(Path(file).parent)
    last = settings.last_folder()
    if last and Path(last).is_dir():
        return last
    return str(QtCore.QStandardPaths.writableLocation(QtCore.QStandardPaths.StandardLocation.PicturesLocation) or Path.home())


def _dialog(parent: Any, title: str, types: list[str]) -> Any:
    dialog = QtWidgets.QFileDialog(parent, title, folder())
    dialog.setNameFilters(types)
    dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(guarded(lambda path: settings.keep_folder(str(Path(path).parent))))
    return dialog
