"""Where an artist finds the manual: beside the plug-in's switch in Krita's settings."""

from acetate.plugins.krita.qt import QtCore, QtWidgets
from krita import Krita
from pieces import claim

PAGE = "Python Plugin Manager"


def _settings():
    """Krita's open settings; `None` before and after."""
    dialogs = (one for one in QtWidgets.QApplication.topLevelWidgets() if isinstance(one, QtWidgets.QDialog) and one.isVisible())
    return next((one for one in dialogs if _entry(one, PAGE) is not None), None)


def _entry(dialog, text):
    """The list that has this entry, and the entry's place; `None` where none has."""
    for view in dialog.findChildren(QtWidgets.QAbstractItemView):
        model = view.model()
        for row in range(model.rowCount(QtCore.QModelIndex()) if model is not None else 0):
            if model.index(row, 0).data() == text:
                return view, model.index(row, 0)
    return None


def _choose(dialog, text):
    view, place = _entry(dialog, text)
    view.setCurrentIndex(place)
    view.clicked.emit(place)


@claim
def the_manual_is_read_beside_the_plugins_switch():
    QtCore.QTimer.singleShot(0, Krita.instance().action("options_configure").trigger)  # which returns when they are closed
    yield lambda: _settings() is not None
    dialog = _settings()
    try:
        _choose(dialog, PAGE)
        yield lambda: _entry(dialog, "Acetate") is not None
        _choose(dialog, "Acetate")
        yield 300
        texts = [one.toPlainText() for one in dialog.findChildren(QtWidgets.QTextEdit)]
        (manual,) = [one for one in texts if one.startswith("Acetate in Krita")]
        assert "Install and switch on" in manual and "Repeat with New Seed" in manual
    finally:
        dialog.reject()
        yield 300
