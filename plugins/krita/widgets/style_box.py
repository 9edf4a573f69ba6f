"""The choice of a style, and the questions by which styles are made and removed. Knows widgets and the book of styles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acetate.plugins.bridge.form import PLACE, STYLE, Form
from acetate.plugins.bridge.forms.styles import StyleBook, style_of, without_style
from acetate.plugins.bridge.translations import _

from ..qt import QtWidgets, Signal, guarded
from .fields import SPACING, combo_box, fill, tell, tool_button


class StyleBox(QtWidgets.QWidget):
    """A list of styles with a menu beside it."""

    chosen = Signal(object)
    """The form as the chosen style makes it."""
    kept = Signal(str)
    """The book has changed: its JSON."""

    def __init__(self, form: Callable[[], Form]) -> None:
        """`form` is what is filled in now."""
        super().__init__(objectName="acetate_style_row")
        self._form, self._book = form, StyleBook()
        self._shown = Form()
        """Holds the style that is shown."""
        self.names = combo_box("acetate_style", [("", _("No style"))])
        tip = _("Words that go around the prompt, and settings, under a name of your own.")
        tell(self.names, _("Style"), tip)
        self.menu = QtWidgets.QMenu(self)
        self._add(_("Save as Style…"), self.ask)
        self._remove_action = self._add(_("Delete This Style"), self._remove)
        button = tool_button("acetate_style_menu", "⋯", raised=True)
        tell(button, _("Styles"), _("Keep the present settings as a style, or delete one."))
        button.setMenu(self.menu)
        button.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        row.addWidget(self.names, 1)
        row.addWidget(button)
        self.names.currentIndexChanged.connect(guarded(self._choose))
        self.menu.aboutToShow.connect(guarded(lambda: self._remove_action.setEnabled(self.names.currentData() in self._book)))

    def use(self, book: StyleBook) -> None:
        self._book = book
        self._show_names()

    def show(self, form: Form) -> None:
        """Show the form's style, also one that was deleted since."""
        self._shown = form
        self._show_names()

    def values(self) -> dict[str, Any]:
        """The form's fields for the style."""
        return {name: getattr(self._shown, name) for name in STYLE}

    def ask(self) -> None:
        """Ask for the name and the words of a style that has the present settings; nothing waits for the answer."""
        dialog = StyleDialog(self, self._form())
        dialog.accepted.connect(guarded(lambda: self._keep(dialog)))
        dialog.open()

    def _keep(self, dialog: StyleDialog) -> None:
        style = style_of(dialog.name.text(), self._form(), dialog.prompt.toPlainText(), dialog.negative.toPlainText())
        self._book.keep(style)
        self.kept.emit(self._book.to_json())
        self.chosen.emit(style.chosen(self._form()))

    def _remove(self) -> None:
        self._book.remove(self.names.currentData())
        self.kept.emit(self._book.to_json())
        self.chosen.emit(without_style(self._form()))

    def _choose(self) -> None:
        style = self._book.style(self.names.currentData())
        self.chosen.emit(style.chosen(self._form()) if style is not None else without_style(self._form()))

    def _show_names(self) -> None:
        names = dict.fromkeys(("", *self._book.names, self._shown.style))
        self.names.blockSignals(True)
        fill(self.names, {name: name or _("No style") for name in names})
        self.names.setCurrentIndex(self.names.findData(self._shown.style))
        self.names.blockSignals(False)
        tip = self._shown.style_prompt or _("Words that go around the prompt, and settings, under a name of your own.")
        self.names.setToolTip(tip)

    def _add(self, text: str, slot: Callable[[], None]) -> Any:
        action = self.menu.addAction(text)
        action.triggered.connect(guarded(slot))
        return action


class StyleDialog(QtWidgets.QDialog):
    """The name and words of a new style."""

    def __init__(self, parent: Any, form: Form) -> None:
        super().__init__(parent)
        self.setObjectName("acetate_style_dialog")
        self.setWindowTitle(_("Save as Style"))
        self.name = QtWidgets.QLineEdit(form.style, objectName="acetate_style_name")
        tell(self.name, _("Name"), _("What the list calls the style; a name that is there already is kept anew."))
        self.prompt = QtWidgets.QPlainTextEdit(form.style_prompt or f"{PLACE}, ", objectName="acetate_style_prompt")
        words = _("Words around the prompt, which goes where {place} stands; without it they come after the prompt.")
        tell(self.prompt, _("Words"), words.replace("{place}", PLACE))
        self.negative = QtWidgets.QPlainTextEdit(form.style_negative, objectName="acetate_style_negative")
        tell(self.negative, _("Avoid"), _("What to avoid besides what the form avoids."))
        for text in (self.prompt, self.negative):
            text.setTabChangesFocus(True)
            text.setFixedHeight(4 * text.fontMetrics().lineSpacing())
        buttons = QtWidgets.QDialogButtonBox
        self.buttons = buttons(buttons.StandardButton.Save | buttons.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        note = QtWidgets.QLabel(_("The model, the sampler's settings and the LoRAs of the form are kept with it."), wordWrap=True)
        rows = QtWidgets.QFormLayout(self)
        for label, field in ((_("Name"), self.name), (_("Words"), self.prompt), (_("Avoid"), self.negative)):
            rows.addRow(label, field)
        rows.addRow(note)
        rows.addRow(self.buttons)
        self.name.textChanged.connect(guarded(self._allow))
        self._allow()

    def _allow(self) -> None:
        self.buttons.button(QtWidgets.QDialogButtonBox.StandardButton.Save).setEnabled(bool(self.name.text().strip()))
