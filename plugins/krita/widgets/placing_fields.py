"""The fields for how a result goes into the document: what becomes of the old layer, its shape, the canvas. Knows widgets and the
form; knows no document."""

from __future__ import annotations

from typing import Any

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.translations import _, marked
from acetate.vocabulary.tasks import Task

from ..qt import QtWidgets
from .fields import choose, combo_box, tell

ORIGINALS = {
    "hide": marked("Hide it"),
    "replace": marked("Take it out"),
    "keep": marked("Leave it visible"),
}
CLIPS = {
    "no": marked("Only its box"),
    "mask": marked("By a mask"),
    "alpha": marked("In the pixels"),
}


class PlacingFields:
    """The widgets by the form's fields, and their values."""

    def __init__(self) -> None:
        self.original = combo_box("acetate_original", [(key, _(text)) for key, text in ORIGINALS.items()])
        self.clip = combo_box("acetate_clip", [(key, _(text)) for key, text in CLIPS.items()])
        self.grows = QtWidgets.QCheckBox(_("Enlarge the canvas"), objectName="acetate_grows")
        tell(self.original, _("Old layer"), _("What becomes of the layer that this is a new version of; undo brings it back."))
        tell(self.clip, _("Cut to selection"), _("Whether the new layer has the selection's shape, or only fills its box."))
        tell(self.grows, _("Enlarge the canvas"), _("Let the canvas grow with a layer that becomes larger than it."))
        self.rows: dict[str, tuple[str, Any]] = {
            "original": (_("Old layer"), self.original),
            "clip": (_("Cut to selection"), self.clip),
            "grows": ("", self.grows),
        }

    def values(self) -> dict[str, Any]:
        return {
            "original": self.original.currentData(),
            "clip": self.clip.currentData(),
            "grows": self.grows.isChecked(),
        }

    def show(self, form: Form) -> None:
        choose(self.original, form.original)
        choose(self.clip, form.clip)
        self.grows.setChecked(form.grows)

    def shown(self, task: Task, area: str) -> dict[str, bool]:
        """Which of them change something."""
        return {
            "original": task.replaces,
            "clip": task.takes is None and "area" in task.fields and area == "selection",
            "grows": task.enlarges,
        }
