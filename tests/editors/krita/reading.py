"""Where an artist finds the manual: beside the plug-in's switch in Krita's settings."""

from acetate.plugins.krita.qt import QtCore, QtWidgets
from krita import Krita
from pieces import claim


def _settings():
    """Krita's open settings; `None` before and after."""
    return next((one for one in QtWidgets.QApplication.topLevelWidgets() if _is_settings(one)), None)


def _is_settings(widget):
    return widget.isVisible() and isinstance(widget, QtWidgets.QDialog) and bool([*_lists(widget)])


def _lists(dialog):
    """The lists with an entry of ours, and the entry's place."""
    for view in dialog.findChildren(QtWidgets.QAbstractItemView):
        model = view.model()
        for row in range(model.rowCount(QtCore.QModelIndex()) if model is not None else 0):
            if model.index(row, 0).data() == "Acetate":
                yield view, model.index(row, 0)


@claim
def the_manual_is_read_beside_the_plugins_switch():
    QtCore.QTimer.singleShot(0, Krita.instance().action("options_configure").trigger)  # which returns when they are closed
    yield lambda: _settings() is not None and any(True for _ in _lists(_settings()))
    dialog = _settings()
    try:
        view, entry = next(_lists(dialog))
        view.setCurrentIndex(entry)
        view.clicked.emit(entry)
        view.activated.emit(entry)
        yield 300
        texts = [one.toPlainText() for one in dialog.findChildren(QtWidgets.QTextEdit)]
        (manual,) = [one for one in texts if one.startswith("Acetate in Krita")]
        assert "Install and switch on" in manual and "Repeat with New Seed" in manual
    finally:
        dialog.reject()
        yield 300
