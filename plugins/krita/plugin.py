"""What Krita loads: registers the docker and the actions, and ends the conversation when Krita ends."""

from __future__ import annotations

import secrets
import signal
from typing import Any

from acetate.plugins.bridge.forms.server_address import chosen_server
from acetate.plugins.bridge.status.log_file import keep_log
from acetate.plugins.bridge.translations import of_environment, speak
from acetate.protocol import Client
from krita import DockWidgetFactoryBase, Extension, Krita

from .docker import Docker
from .forms import remembering, settings
from .pictures.desk import PictureDesk
from .qt import QtCore, guarded
from .session import Session
from .window import actions

DOCKER = "acetate"


def make_client(launch: list[str] | None) -> Client:
    """The client, with a `session` that is kept over restarts of Krita, as it is the place in the server's queue."""
    app = Krita.instance()
    session = app.readSetting(settings.GROUP, "session", "")
    if not session:
        session = secrets.token_hex(16)
        app.writeSetting(settings.GROUP, "session", session)
    name = f"Krita {app.version()}"
    return Client(name, address=chosen_server(), launch=launch, session=session, formats=("bgra8", "rgba8"))


class AcetateExtension(Extension):
    """The actions in Tools > Scripts; every window has its own."""

    def __init__(self, parent: Any, session: Session) -> None:
        super().__init__(parent)
        self._session = session

    def setup(self) -> None:
        notifier = Krita.instance().notifier()
        notifier.setActive(True)
        notifier.applicationClosing.connect(guarded(self._session.close))

    def createActions(self, window: Any) -> None:  # noqa: N802
        actions.create(window, docker_of)


class DockerFactory(DockWidgetFactoryBase):
    """Makes a docker for each window."""

    def __init__(self, session: Session, desk: PictureDesk) -> None:
        # Krita 6 has only the scoped name, Krita 5 only the short one.
        positions = getattr(DockWidgetFactoryBase, "DockPosition", DockWidgetFactoryBase)
        super().__init__(DOCKER, positions.DockRight)
        self._session, self._desk = session, desk

    def createDockWidget(self) -> Docker:  # noqa: N802
        return Docker(self._session, self._desk)


def docker_of(window: Any) -> Docker | None:
    """The docker of a window; `None` where Krita has made none."""
    dockers = window.dockers() if window is not None else Krita.instance().dockers()
    return next((one for one in dockers if isinstance(one, Docker)), None)


def survive_lost_connections() -> None:
    """A write to a connection that the other side has closed sends SIGPIPE, which ends a program that does not say otherwise.

    Python says so for its own programs, but not inside Krita, where the artist's picture would go with it.
    """
    if hasattr(signal, "SIGPIPE") and signal.getsignal(signal.SIGPIPE) is signal.SIG_DFL:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def register() -> Session:
    """Give Krita the actions and the docker; returns what they share."""
    survive_lost_connections()
    speak([*QtCore.QLocale().uiLanguages(), *of_environment()])  # Krita sets Qt's default to the language that it speaks
    keep_log("krita")
    app = Krita.instance()
    remembering.keep_in_documents(settings.prompts_in_documents())
    session = Session(app, make_client)
    session.set_inserting_at_once(settings.inserts_at_once())
    app.addExtension(AcetateExtension(app, session))
    app.addDockWidgetFactory(DockerFactory(session, PictureDesk(app, session)))
    return session


session = register()
