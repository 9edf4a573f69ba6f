"""The LoRAs of a form: each with its weight, and a list of what the library has for the model. Knows widgets; knows no server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from acetate.plugins.bridge.forms.offers import Addition, Offers
from acetate.plugins.bridge.translations import _, said
from acetate.plugins.bridge.words import sentence

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, guarded
from .fields import SPACING, ElidedLabel, decimal_box, tell, tool_button

LEAST, MOST = -2.0, 2.0
"""The weights that the field offers; others come by the prompt's tags."""
ICON = 64
"""The side of a preview in the list, in pixels."""
_NAME = int(Qt.ItemDataRole.UserRole)


class LoraList(QtWidgets.QWidget):
    """One row for each chosen LoRA, and a button that shows the others."""

    changed = Signal()
    words = Signal(str)
    """The trigger words that are wanted in the prompt."""
    previews_wanted = Signal(list)
    """The names of LoRAs whose pictures would be seen."""

    def __init__(self) -> None:
        super().__init__(objectName="acetate_loras")
        self._chosen: dict[str, float] = {}
        self._offers, self._model = Offers(), ""
        self.picker = LoraPicker(self)
        self.picker.picked.connect(guarded(self.add))
        self.more = tool_button("acetate_add_lora", _("Add LoRA…"), raised=True)
        tell(self.more, _("Add LoRA"), _("Search the server's library for LoRAs that fit the model."))
        self.more.clicked.connect(guarded(self._show_picker))
        self._rows = QtWidgets.QVBoxLayout()
        self._rows.setSpacing(SPACING)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        column.addLayout(self._rows)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)

    def chosen(self) -> tuple[tuple[str, float], ...]:
        """Names, each with its weight."""
        return tuple(self._chosen.items())

    def choose(self, loras: Sequence[tuple[str, float]]) -> None:
        if tuple(loras) != self.chosen():
            self._chosen = dict(loras)
            self._show_rows()

    def offer(self, offers: Offers, model: str) -> None:
        """What there is, and for which model the list is shown."""
        self._offers, self._model = offers, model
        self.picker.show_loras(offers.of(offers.loras, model))
        self._show_rows()

    def add(self, name: str) -> None:
        """Choose one more, at full weight."""
        if name not in self._chosen:
            self._chosen[name] = 1.0
            self._show_rows()
            self.changed.emit()

    def _remove(self, name: str) -> None:
        del self._chosen[name]
        self._show_rows()
        self.changed.emit()

    def _weigh(self, name: str, weight: float) -> None:
        self._chosen[name] = round(weight, 2)
        self.changed.emit()

    def _show_picker(self) -> None:
        self.picker.open_below(self.more)
        self.previews_wanted.emit(self.picker.without_preview())

    def _show_rows(self) -> None:
        while (old := self._rows.takeAt(0)) is not None:
            old.widget().hide()
            old.widget().deleteLater()
        for name, weight in self._chosen.items():
            self._rows.addWidget(self._row(name, weight))

    def _row(self, name: str, weight: float) -> Any:
        known = self._offers.loras.get(name)
        fits = self._offers.lora_suits(name, self._model)
        label = ElidedLabel(name)
        label.setEnabled(fits)
        tell(
            label,
            name,
            _tip(known) if fits else _("This model cannot use it, and it is left out: {what}").format(what=_tip(known)),
        )
        number = decimal_box("acetate_lora_weight", LEAST, MOST, step=0.05)
        number.setValue(weight)
        tell(number, _("Weight of {name}").format(name=name), _("How strong the LoRA is; 1 is as it was trained."))
        number.valueChanged.connect(guarded(lambda value: self._weigh(name, value)))
        remove = tool_button("acetate_remove_lora", "✕")
        tell(remove, _("Remove {name}").format(name=name), _("Draw without this LoRA."))
        remove.clicked.connect(guarded(lambda: self._remove(name)))
        row = QtWidgets.QWidget()
        line = QtWidgets.QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(SPACING)
        line.addWidget(label, 1)
        if known is not None and known.triggers:
            line.addWidget(self._trigger_button(known))
        line.addWidget(number)
        line.addWidget(remove)
        return row

    def _trigger_button(self, known: Addition) -> Any:
        text = ", ".join(known.triggers)
        button = tool_button("acetate_lora_words", "✎")
        tell(
            button,
            _("Trigger words of {name}").format(name=known.name),
            _("Add its trigger words to the prompt: {words}").format(words=text),
        )
        button.clicked.connect(guarded(lambda: self.words.emit(text)))
        return button


class LoraPicker(QtWidgets.QFrame):
    """A list with a search field that opens below a button; it closes when something else is clicked."""

    picked = Signal(str)

    def __init__(self, parent: Any) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("acetate_lora_picker")
        self.setFrameShape(QtWidgets.QFrame.Shape.StyledPanel)
        self.search = QtWidgets.QLineEdit(objectName="acetate_lora_search", placeholderText=_("Search"), clearButtonEnabled=True)
        tell(self.search, _("Search"), _("A part of a LoRA's name or of its trigger words."))
        self.list = QtWidgets.QListWidget(objectName="acetate_lora_names", uniformItemSizes=True)
        tell(self.list, _("LoRAs"), _("The LoRAs of the server's library that fit the model; a double click adds one."))
        self.list.setIconSize(QtCore.QSize(ICON, ICON))
        self._nothing = QtWidgets.QLabel(objectName="acetate_lora_none", wordWrap=True)
        self._pictures: dict[str, Any] = {}
        blank = QtGui.QPixmap(ICON, ICON)
        blank.fill(Qt.GlobalColor.transparent)
        self._no_picture = QtGui.QIcon(blank)  # so that all names stand in line
        self._loras: Sequence[Addition] = ()
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(SPACING, SPACING, SPACING, SPACING)
        for widget in (self.search, self.list, self._nothing):
            column.addWidget(widget)
        self.search.textChanged.connect(guarded(self._filter))
        self.search.returnPressed.connect(guarded(self._pick_first))
        self.list.itemActivated.connect(guarded(lambda item: self._pick(item)))
        self.list.itemDoubleClicked.connect(guarded(lambda item: self._pick(item)))

    def show_loras(self, loras: Sequence[Addition]) -> None:
        self._loras = loras
        self.list.clear()
        for one in loras:
            item = QtWidgets.QListWidgetItem(one.name)
            item.setData(_NAME, one.name)
            item.setToolTip(_tip(one))
            item.setIcon(self._pictures.get(one.name, self._no_picture))
            self.list.addItem(item)
        self._filter(self.search.text())

    def show_preview(self, name: str, picture: bytes) -> None:
        """Show the picture that lies beside the LoRA's file; what is no picture stays unseen."""
        image = QtGui.QImage.fromData(picture)
        if image.isNull():
            return
        self._pictures[name] = QtGui.QIcon(QtGui.QPixmap.fromImage(image))
        for row in range(self.list.count()):
            if self.list.item(row).data(_NAME) == name:
                self.list.item(row).setIcon(self._pictures[name])

    def without_preview(self) -> list[str]:
        """The LoRAs that have a picture which is not here yet."""
        return [one.name for one in self._loras if one.preview and one.name not in self._pictures]

    def open_below(self, button: Any) -> None:
        self.search.clear()
        self.setFixedSize(max(260, button.window().width() // 5), 320)
        self.move(button.mapToGlobal(QtCore.QPoint(0, button.height())))
        self.show()
        self.search.setFocus()

    def _filter(self, text: str) -> None:
        wanted = text.strip().casefold()
        for row, one in enumerate(self._loras):
            self.list.item(row).setHidden(wanted not in " ".join((one.name, *one.triggers)).casefold())
        found = any(not self.list.item(row).isHidden() for row in range(self.list.count()))
        self.list.setVisible(found)
        self._nothing.setVisible(not found)
        none = _(
            "The server's library has no LoRA for this model. Put one into its models folder, or add a folder: acetate models add"
        )
        self._nothing.setText(none if not self._loras else _("No LoRA is called so."))

    def _pick_first(self) -> None:
        shown = (self.list.item(row) for row in range(self.list.count()))
        first = next((item for item in shown if not item.isHidden()), None)
        if first is not None:
            self._pick(first)

    def _pick(self, item: Any) -> None:
        self.hide()
        self.picked.emit(item.data(_NAME))


def _tip(known: Addition | None) -> str:
    """What is known of a LoRA, in sentences."""
    if known is None:
        return _("The server does not list it.")
    told = [known.what, known.problem, known.caution]
    if known.triggers:
        told.append(_("Trigger words: {words}").format(words=", ".join(known.triggers)))
    return " ".join(sentence(said(text)) for text in told if text) or known.name
