"""The docker *Acetate*: the form, one big button, what happens, and the history. Knows widgets; the session does the work."""

from __future__ import annotations

import platform
import time
from typing import Any

from acetate.plugins.bridge.form import from_json, from_parameters
from acetate.plugins.bridge.pending import PendingResult
from acetate.protocol import VERSION, Failure, Image
from krita import DockWidget, Krita

from . import canvas
from .pictures import file_dialogs
from .pictures.desk import PictureDesk
from .pictures.panel import PicturePanel
from .qt import MAJOR, QtCore, QtWidgets, guarded
from .reminder import Reminder
from .session import Session
from .widgets.checkerboard import PreviewPane
from .widgets.error_box import ErrorBox
from .widgets.fields import SPACING
from .widgets.form_panel import FormPanel
from .widgets.own_keys import Ground

SETTINGS = "acetate"
"""The plug-in's group of kritarc."""
LOWEST_FORM = 110
"""The height of the form, in pixels, that always stays in sight."""


class Docker(DockWidget):
    """The docker of one window; all of them share the session."""

    def __init__(self, session: Session, desk: PictureDesk) -> None:
        super().__init__()
        self.setWindowTitle("Acetate")
        self._session = session
        self._seen: set[str] = set()
        """The documents whose remembered form was shown."""
        self._shown: PendingResult | None = None
        """The generation whose preview is shown."""
        self._previewed: Image | None = None
        self.form_panel = FormPanel(Krita.instance().icon)
        self._reminder = Reminder(self.form_panel)
        self.button = QtWidgets.QPushButton("Generate", objectName="acetate_generate")
        self.progress = QtWidgets.QProgressBar(objectName="acetate_progress", textVisible=False, maximumHeight=6)
        self.status = QtWidgets.QLabel(objectName="acetate_status")
        self.error = ErrorBox()
        self.preview = PreviewPane()
        self.pictures = PicturePanel(self, session, desk)
        self.history = self.pictures.history
        self._lay_out()
        self._connect()
        self.form_panel.set_form(from_json(Krita.instance().readSetting(SETTINGS, "form", "{}")))
        self._reminder.used()
        self._show_state()
        self._show_engine()

    # --- Krita's calls -----------------------------------------------------------------------------------------------

    def canvasChanged(self, _: Any) -> None:  # noqa: N802
        """Another document or view; a document that remembers a generation fills the form, once."""
        self._show_remembered()

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
        self._reminder.used()
        Krita.instance().writeSetting(SETTINGS, "form", form.to_json())
        self.error.hide()
        self._session.generate(Krita.instance().activeDocument(), form)

    @guarded
    def repeat(self) -> None:
        self.error.hide()
        self._session.repeat(Krita.instance().activeDocument())

    @guarded
    def choose_file(self) -> None:
        file_dialogs.ask_for_layers(self, lambda path: self.pictures.insert_files([path]))

    def _copy(self, parameters: dict[str, Any]) -> None:
        self.form_panel.set_form(from_parameters(parameters, self.form_panel.form()))

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
        models = {str(one["name"]): str(one.get("title") or one["name"]) for one in engine.models if "name" in one}
        kinds = ("schedulers", "spacings", "upscalers")
        named = {kind: {str(name): str(name) for name in engine.details.get(kind, ())} for kind in kinds}
        self.form_panel.offer(models, named)
        self.form_panel.allow({str(one.get("name")): one.get("tasks") for one in engine.models})

    @guarded
    def _show_failure(self, failure: Failure) -> None:
        self.error.show_failure(failure, self._circumstances())

    @guarded
    def _show_note(self, note: str) -> None:
        self.error.show_note(note)

    def _show_remembered(self) -> None:
        document = Krita.instance().activeDocument()
        root = document.rootNode() if document is not None else None
        if root is None or canvas.identity(root) in self._seen:
            return
        self._seen.add(canvas.identity(root))
        kept = canvas.remembered(document).get("form")
        if isinstance(kept, str):
            self.form_panel.set_form(from_json(kept))
            self._reminder.used()

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
        self.form_panel.task_changed.connect(guarded(self._task_changed))
        self.button.clicked.connect(self.press)
        self.pictures.copied.connect(guarded(self._copy))
        self.pictures.acting.connect(self.error.hide)
        # The session outlives a window: Qt lets go of a closed one's methods, but would go on calling plain functions.
        self._session.changed.connect(self._show_state)
        self._session.engine_changed.connect(self._show_engine)
        self._session.failed.connect(self._show_failure)
        self._session.noted.connect(self._show_note)

    def _task_changed(self) -> None:
        self._reminder.look()
        self._show_state()

    def _lay_out(self) -> None:
        """Arrange the widgets: in a low docker the form scrolls; button, messages and some of the history stay in sight."""
        content = Ground()
        content.dropped.connect(guarded(self.pictures.insert_files))
        column = QtWidgets.QVBoxLayout(content)
        column.setContentsMargins(SPACING, SPACING, SPACING, SPACING)
        column.setSpacing(SPACING)
        self.button.setMinimumHeight(round(1.4 * self.button.sizeHint().height()))
        column.addWidget(_Scrolling(self.form_panel))
        for widget in (
            self.button,
            self.progress,
            self.status,
            self.error,
            self.preview,
            self.pictures.strip,
            self.pictures.undo_bar,
        ):
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
