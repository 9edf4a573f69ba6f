"""The docker *Acetate*: the form, one big button, what happens, and the history. Knows widgets; the session does the work."""

from __future__ import annotations

import time
from typing import Any

from acetate.plugins.bridge.candidates import Candidate
from acetate.plugins.bridge.form import from_parameters
from acetate.plugins.bridge.forms.offers import Offers
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.pictures.expected_size import can_sharpen, sharpening
from acetate.plugins.bridge.translations import _
from acetate.protocol import Failure, Image
from krita import DockWidget

from .forms import settings
from .forms.form_keeper import FormKeeper
from .forms.preview_fetching import PreviewFetching
from .forms.settings_menu import SettingsMenu
from .pictures import file_dialogs
from .pictures.desk import PictureDesk
from .pictures.panel import PicturePanel
from .pictures.size_line import SizeLine
from .qt import QtCore, QtWidgets, guarded
from .session import Session
from .widgets.checkerboard import PreviewPane
from .widgets.error_box import ErrorBox
from .widgets.fields import SPACING, Sentence
from .widgets.form_panel import FormPanel
from .widgets.own_keys import Ground
from .widgets.queue_list import QueueList
from .widgets.ready_bar import ReadyBar
from .widgets.scrolling import AsHighAsItsContent, below
from .window.circumstances import circumstances
from .window.floating import FloatingMessages
from .window.front import document_of, is_in_sight

LOOK_SECONDS = 1
"""How often to ask what runs and waits for others: the server tells of our own jobs only."""
SETTLED_MS = 500
"""After which a window that is being built has settled."""


class Docker(DockWidget):
    """The docker of one window; all of them share the session."""

    def __init__(self, session: Session, desk: PictureDesk) -> None:
        super().__init__()
        self.setWindowTitle("Acetate")
        self._session = session
        self._shown: PendingResult | None = None
        """The generation whose preview is shown."""
        self._previewed: Image | None = None
        self._unconnected: Failure | None = None
        """The failure to connect that is shown."""
        self.form_panel = FormPanel()
        self._forms = FormKeeper(self.form_panel, session.forms)
        self.button = QtWidgets.QPushButton(_("Generate"), objectName="acetate_generate")
        self.stop = QtWidgets.QPushButton(_("Cancel"), objectName="acetate_stop", enabled=False)
        self.stop.setToolTip(_("Stop what is drawn now. What waits goes on."))
        self.progress = QtWidgets.QProgressBar(objectName="acetate_progress", textVisible=False, maximumHeight=6)
        self.progress.setAccessibleName(_("Progress"))
        self.status = Sentence("acetate_status")
        self.queue = QueueList()
        self.ready = ReadyBar()
        self.error = ErrorBox()
        self.preview = PreviewPane()
        self.pictures = PicturePanel(self, session, desk)
        self.history = self.pictures.history
        self.size_line = SizeLine(self.document, self.form_panel.form, lambda: self.form_panel.offers)
        upper = [self.status, self.ready, self.error, self.queue, self.preview, self.pictures.strip]
        self._below = below(upper, self.history)
        self._lay_out()
        self._connect()
        self.form_panel.set_form(settings.last_form())
        self._forms.used(self.form_panel.form())
        self.settings_menu = SettingsMenu(self.form_panel, session, self.choose_file)
        self._previews = PreviewFetching(self.form_panel.loras, session)
        self.floating = FloatingMessages(self, session)
        self._clicked_at = float("-inf")
        self._looking = QtCore.QTimer(self)
        """Asks now and then what runs and waits elsewhere, while somebody can see it."""
        self._looking.setInterval(1000 * LOOK_SECONDS)
        self._looking.timeout.connect(guarded(self._look))
        self._looking.start()
        self._show_state()
        self._show_engine()

    # --- Krita's calls -----------------------------------------------------------------------------------------------

    def canvasChanged(self, _: Any) -> None:  # noqa: N802
        """Another document or view: each document has its own form."""
        self._forms.show(self.document())
        QtCore.QTimer.singleShot(0, guarded(self._session.follow_canvases))  # Krita is still building the view

    def showEvent(self, event: Any) -> None:  # noqa: N802
        """Shown, or about to be hidden again: Krita shows every docker once while it builds a window."""
        super().showEvent(event)
        QtCore.QTimer.singleShot(SETTLED_MS, self._connect_if_seen)

    def hideEvent(self, event: Any) -> None:  # noqa: N802
        """Hidden, or closed with its window: what was typed and not used yet is there again at the next start."""
        super().hideEvent(event)
        self._keep_typed()

    @guarded
    def _keep_typed(self) -> None:
        settings.keep_form(self._forms.present())

    def document(self) -> Any:
        """The document in front in this docker's own window; `None` without one."""
        return document_of(self)

    @guarded
    def _connect_if_seen(self) -> None:
        if is_in_sight(self):
            self._session.connect_to_server()
            self._look()

    def _look(self) -> None:
        if is_in_sight(self):
            self._session.queue.refresh()

    # --- what the buttons and actions do -----------------------------------------------------------------------------

    @guarded
    def press(self) -> None:
        """Act on the big button or its key: the second click of a double click, or of a pen that bounces, is none."""
        if time.monotonic() - self._clicked_at < QtWidgets.QApplication.doubleClickInterval() / 1000:
            return
        before = len(self._session.jobs.generations)
        self.generate()
        if len(self._session.jobs.generations) > before:  # a refusal may be answered as quickly as one likes
            self._clicked_at = time.monotonic()

    @guarded
    def show_prompt(self) -> None:
        """Bring the docker to the front with the cursor in the prompt."""
        self.setVisible(True)
        self.raise_()
        self.form_panel.prompt.setFocus(QtCore.Qt.FocusReason.ShortcutFocusReason)

    @guarded
    def cancel(self) -> None:
        self._session.cancel()

    @guarded
    def cancel_all(self) -> None:
        self._session.cancel_all()

    @guarded
    def generate(self) -> None:
        """Ask for what the form says; what runs and waits already goes on."""
        form = self.form_panel.form().with_seed()
        self.form_panel.seed.set_seed(form.seed)
        settings.keep_form(self._forms.used(form))
        self.error.hide()
        self._session.generate(self.document(), self.form_panel.offers.suited(form))

    @guarded
    def repeat(self) -> None:
        self.error.hide()
        self._session.repeat(self.document())

    @guarded
    def choose_file(self) -> None:
        file_dialogs.ask_for_layers(self, lambda path: self.pictures.insert_files([path]))

    def _copy(self, parameters: dict[str, Any]) -> None:
        self.form_panel.set_form(from_parameters(parameters, self.form_panel.form()))

    def _sharpen(self, candidate: Candidate) -> None:
        """Draw the layer of an enlarged picture anew at its full size."""
        offers = self.form_panel.offers
        form = offers.suited(sharpening(offers, self.form_panel.form(), candidate.prompt).with_seed())
        self.pictures.activate(candidate, lambda: self._session.generate(self.document(), form))

    # --- showing -----------------------------------------------------------------------------------------------------

    @guarded
    def _show_state(self) -> None:
        result = self._session.current
        running = result is not None
        if result is not self._shown:
            self._shown = result
            if result is not None and result.plan.box is not None:
                self.preview.expect(result.plan.box.width, result.plan.box.height)
        self.button.setText(_(self.form_panel.form().about.verb))
        self.stop.setEnabled(result is not None and not result.status.stopping)
        self.ready.show_ready(self._session.jobs.ready)
        if self.queue.isVisible():
            self._show_queue()  # how far each is
        self.preview.setVisible(running)
        if not running:
            self.pictures.end_forming()
        self._show_connection()
        if result is None:
            self.progress.setRange(0, 1000)
            self.progress.setValue(0)
        else:
            status = result.status
            self.status.setText(self._session.connection or self._session.queue.text_of(result))
            self.progress.setRange(0, 0 if status.fraction is None else 1000)
            self.progress.setValue(round(1000 * (status.fraction or 0.0)))
            if status.preview is not None and status.preview is not self._previewed:
                self._previewed = status.preview  # left there: other windows show it too
                self.preview.show_picture(status.preview)

    def _show_connection(self) -> None:
        """What the docker is connected to; a failure to connect is not shown any more once it is."""
        status, url = self._session.status, self._session.url
        self.status.setText(status.text or status.line(url) or " ")
        self.status.setToolTip(status.details(url))
        if self._unconnected is not None and not status.text:
            if self.error.failure is self._unconnected:
                self.error.hide()
            self._unconnected = None

    @guarded
    def _show_queue(self) -> None:
        queue = self._session.queue
        self.queue.show_rows(queue.rows, queue.summary)

    @guarded
    def _use_queue(self, what: str, job: str) -> None:
        queue = self._session.queue
        queue.cancel(job) if what == "cancel" else queue.advance(job)
        self._show_queue()

    @guarded
    def _try_again(self) -> None:
        self.error.hide()
        self._session.status.forget()
        self._session.connect_to_server()

    @guarded
    def _show_engine(self) -> None:
        engine = self._session.engine
        if engine is None:
            return
        self.form_panel.offer(Offers(engine))
        self.pictures.strip.offer_sharpening(can_sharpen(self.form_panel.offers))

    @guarded
    def _show_failure(self, failure: Failure) -> None:
        unconnected = failure is self._session.status.failure
        if unconnected:
            self._unconnected = failure
        self.error.show_failure(failure, circumstances(self, self._session), may_try_again=unconnected)
        self._below.ensureWidgetVisible(self.error)

    @guarded
    def _show_note(self, note: str) -> None:
        self.error.show_note(note)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.form_panel.submitted.connect(self.press)
        self.form_panel.task_changed.connect(self._show_state)
        self.button.clicked.connect(self.press)
        self.stop.clicked.connect(self.cancel)
        self.error.again.connect(self._try_again)
        self.queue.chosen.connect(self._use_queue)
        self.queue.all_cancelled.connect(self.cancel_all)
        self.ready.insert.connect(guarded(self._session.insert_now))
        self.ready.dismiss.connect(guarded(self._session.jobs.cancel))
        self.pictures.copied.connect(guarded(self._copy))
        self.pictures.sharpened.connect(guarded(self._sharpen))
        self.pictures.acting.connect(self.error.hide)
        self.pictures.follow(self.preview)
        # The session outlives a window: Qt lets go of a closed one's methods, but would go on calling plain functions.
        self._session.changed.connect(self._show_state)
        self._session.engine_changed.connect(self._show_engine)
        self._session.queue_changed.connect(self._show_queue)
        self._session.failed.connect(self._show_failure)
        self._session.noted.connect(self._show_note)

    def _lay_out(self) -> None:
        """Arrange the widgets: in a low docker the form scrolls, and what lies below the buttons does; these never move, whatever
        comes and goes there."""
        content = Ground()
        content.dropped.connect(guarded(self.pictures.insert_files))
        column = QtWidgets.QVBoxLayout(content)
        column.setContentsMargins(SPACING, SPACING, SPACING, SPACING)
        column.setSpacing(SPACING)
        buttons = QtWidgets.QHBoxLayout()
        buttons.setSpacing(SPACING)
        for button, share in ((self.button, 2), (self.stop, 1)):
            button.setMinimumHeight(round(1.4 * button.sizeHint().height()))
            button.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
            buttons.addWidget(button, share)
        column.addWidget(AsHighAsItsContent(self.form_panel))
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addWidget(self.size_line)
        column.addWidget(self._below, 1)
        column.addWidget(self.pictures.undo_bar)
        self.setWidget(content)
