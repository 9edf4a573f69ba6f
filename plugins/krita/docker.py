"""The docker *Acetate*: the form, one big button, what happens, and the history. Knows widgets; the session does the work."""

from __future__ import annotations

import platform
import time
from pathlib import Path
from typing import Any

from acetate.plugins.bridge.form import from_parameters
from acetate.plugins.bridge.forms.offers import Offers
from acetate.plugins.bridge.pending import PendingResult
from acetate.protocol import VERSION, Failure, Image
from krita import DockWidget, Krita

from .forms import settings
from .forms.form_keeper import FormKeeper
from .forms.preview_fetching import PreviewFetching
from .forms.settings_menu import SettingsMenu
from .qt import MAJOR, QtCore, QtWidgets, guarded
from .session import Session
from .widgets.checkerboard import PreviewPane
from .widgets.error_box import ErrorBox
from .widgets.fields import SPACING, Sentence
from .widgets.form_panel import FormPanel
from .widgets.history_list import HistoryList
from .widgets.ready_bar import ReadyBar

FILE_TYPES = "Layered pictures (*.psd *.ora *.png)"
SAVE_TYPES = "PNG picture (*.png);;Photoshop document (*.psd);;OpenRaster (*.ora)"

LOWEST_FORM = 110
"""The height of the form, in pixels, that always stays in sight."""


class Docker(DockWidget):
    """The docker of one window; all of them share the session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setWindowTitle("Acetate")
        self._session = session
        self._shown: PendingResult | None = None
        """The generation whose preview is shown."""
        self._previewed: Image | None = None
        self.form_panel = FormPanel()
        self._forms = FormKeeper(self.form_panel, session.forms)
        self.button = QtWidgets.QPushButton("Generate", objectName="acetate_generate")
        self.progress = QtWidgets.QProgressBar(objectName="acetate_progress", textVisible=False, maximumHeight=6)
        self.status = Sentence("acetate_status")
        self.ready = ReadyBar()
        self.error = ErrorBox()
        self.preview = PreviewPane()
        self.history = HistoryList()
        self._lay_out()
        self._connect()
        self.form_panel.set_form(settings.last_form())
        self._forms.used(self.form_panel.form())
        self.settings_menu = SettingsMenu(self.form_panel, session)
        self._previews = PreviewFetching(self.form_panel.loras, session)
        self._show_state()
        self._show_engine()
        self._show_history()

    # --- Krita's calls -----------------------------------------------------------------------------------------------

    def canvasChanged(self, _: Any) -> None:  # noqa: N802
        """Another document or view: each document has its own form."""
        self._forms.show(Krita.instance().activeDocument())
        QtCore.QTimer.singleShot(0, self._session.follow_canvases)  # Krita has not built the view yet

    def showEvent(self, event: Any) -> None:  # noqa: N802
        super().showEvent(event)
        self._session.connect_to_server()

    # --- what the buttons and actions do -----------------------------------------------------------------------------

    @guarded
    def press(self) -> None:
        """Act on the big button: generate, or cancel what is running."""
        if self._session.current is not None:
            self._session.cancel()
        else:
            self.generate()

    @guarded
    def generate(self) -> None:
        if self._session.current is not None:  # one at a time; the docker shows which
            return
        form = self.form_panel.form().with_seed()
        self.form_panel.seed.set_seed(form.seed)
        settings.keep_form(self._forms.used(form))
        self.error.hide()
        self._session.generate(Krita.instance().activeDocument(), self.form_panel.offers.suited(form))

    @guarded
    def repeat(self) -> None:
        self.error.hide()
        self._session.repeat(Krita.instance().activeDocument())

    @guarded
    def choose_file(self) -> None:
        dialog = self._file_dialog("Insert Layers from File", FILE_TYPES)
        dialog.setFileMode(QtWidgets.QFileDialog.FileMode.ExistingFile)
        document = Krita.instance().activeDocument()
        dialog.fileSelected.connect(guarded(lambda path: self._session.insert_file(document, Path(path))))
        dialog.open()

    def _use_history(self, what: str, job: str) -> None:
        self.error.hide()
        entry = self._session.history.entries.get(job)
        if what in ("insert", "replace"):
            self._session.insert_again(job, Krita.instance().activeDocument(), instead=what == "replace")
        elif what == "delete":
            self._session.discard(job)
        elif what == "copy" and entry is not None:
            parameters = {"task": entry.task, **entry.parameters}
            self.form_panel.set_form(from_parameters(parameters, self.form_panel.form()))
        elif what == "save":
            dialog = self._file_dialog("Save Result", SAVE_TYPES)
            dialog.setAcceptMode(QtWidgets.QFileDialog.AcceptMode.AcceptSave)
            dialog.setDefaultSuffix("png")
            dialog.filterSelected.connect(guarded(lambda chosen: dialog.setDefaultSuffix(chosen.partition("*.")[2].rstrip(")"))))
            dialog.fileSelected.connect(guarded(lambda path: self._session.save(job, Path(path), dialog.defaultSuffix())))
            dialog.open()

    def _file_dialog(self, title: str, types: str) -> Any:
        """A file dialog that does not block the event loop: generations and painting go on while it is open."""
        dialog = QtWidgets.QFileDialog(self, title)
        dialog.setNameFilters(types.split(";;"))
        dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog

    # --- showing -----------------------------------------------------------------------------------------------------

    @guarded
    def _show_state(self) -> None:
        result = self._session.current
        running = result is not None
        if result is not self._shown:
            self._shown = result
            if result is not None and result.plan.box is not None:
                self.preview.expect(result.plan.box.width, result.plan.box.height)
        self.button.setText("Cancel" if running else self.form_panel.form().about.verb)
        self.button.setEnabled(result is None or not result.status.stopping)
        self.ready.show_ready(self._session.jobs.ready)
        self.progress.setVisible(running)
        self.preview.setVisible(running)
        if result is None:
            self.status.setText(self._session.connection)
        else:
            status = result.status
            self.status.setText(self._session.connection or status.text)
            self.progress.setRange(0, 0 if status.fraction is None else 1000)
            self.progress.setValue(round(1000 * (status.fraction or 0.0)))
            if status.preview is not None and status.preview is not self._previewed:
                self._previewed = status.preview  # left there: other windows show it too
                self.preview.show_picture(status.preview)
        self.status.setVisible(bool(self.status.text()))

    @guarded
    def _show_engine(self) -> None:
        engine = self._session.engine
        if engine is None:
            return
        self.form_panel.offer(Offers(engine))

    @guarded
    def _show_history(self) -> None:
        self.history.show_entries(self._session.history)

    @guarded
    def _show_failure(self, failure: Failure) -> None:
        self.error.show_failure(failure, self._circumstances())

    @guarded
    def _show_note(self, note: str) -> None:
        self.error.show_note(note)

    def _circumstances(self) -> str:
        """The circumstances of a failure, for a report."""
        app, form, session = Krita.instance(), self.form_panel.form(), self._session
        welcome = session.client.welcome if session.client is not None else None
        qt = f"Qt {QtCore.qVersion()}, PyQt{MAJOR}, Python {platform.python_version()}"
        lines = {
            "Time": time.strftime("%Y-%m-%d %H:%M:%S"),
            "Krita": f"{app.version()}, {qt}, {platform.system()} {platform.release()}",
            "Protocol": f"{VERSION}, server {welcome.server if welcome is not None else 'not connected'}",
            "Device": session.engine.device if session.engine is not None else "unknown",
            "Document": _described(app.activeDocument()),
            "Form": form.to_json(),
        }
        return "\n".join(f"{name}: {value}" for name, value in lines.items())

    # --- inside ------------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.form_panel.submitted.connect(self.generate)
        self.form_panel.task_changed.connect(self._show_state)
        self.button.clicked.connect(self.press)
        self.ready.insert.connect(guarded(self._session.insert_now))
        self.ready.dismiss.connect(guarded(self._session.jobs.cancel))
        self.history.chosen.connect(guarded(self._use_history))
        self.history.reached_end.connect(guarded(self._session.more_history))
        # The session outlives a window: Qt lets go of a closed one's methods, but would go on calling plain functions.
        self._session.changed.connect(self._show_state)
        self._session.engine_changed.connect(self._show_engine)
        self._session.history_changed.connect(self._show_history)
        self._session.failed.connect(self._show_failure)
        self._session.noted.connect(self._show_note)

    def _lay_out(self) -> None:
        """Arrange the widgets: in a low docker the form scrolls; button, messages and some of the history stay in sight."""
        content = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(content)
        column.setContentsMargins(SPACING, SPACING, SPACING, SPACING)
        column.setSpacing(SPACING)
        self.button.setMinimumHeight(round(1.4 * self.button.sizeHint().height()))
        column.addWidget(_Scrolling(self.form_panel))
        for widget in (self.button, self.progress, self.status, self.ready, self.error, self.preview):
            column.addWidget(widget)
        column.addWidget(self.history, 1)
        self.setWidget(content)


class _Scrolling(QtWidgets.QScrollArea):
    """A scroll area that is as high as its content, or lower where there is not enough room."""

    def __init__(self, content: Any) -> None:
        super().__init__(widgetResizable=True, minimumHeight=LOWEST_FORM)
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Preferred, QtWidgets.QSizePolicy.Policy.Maximum)
        self.setWidget(content)

    def sizeHint(self) -> Any:  # noqa: N802
        return self.widget().sizeHint()

    def minimumSizeHint(self) -> Any:  # noqa: N802
        return QtCore.QSize(self.widget().minimumSizeHint().width(), LOWEST_FORM)

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802
        if watched is self.widget() and event.type() == QtCore.QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))


def _described(document: Any) -> str:
    if document is None:
        return "none"
    return f"{document.width()} x {document.height()}, {document.colorModel()} {document.colorDepth()}, {document.colorProfile()}"
