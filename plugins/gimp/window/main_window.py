"""The one window: pages for generating, for the history and for the queue, above them what they work on.

It stays open for all tasks and images until it is closed. Knows pages by what they have in common.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence

from acetate.plugins.bridge.forms.offers import Offers
from acetate.plugins.bridge.forms.server_address import choose_server, chosen_server
from acetate.plugins.bridge.job import EditorJobs
from acetate.plugins.bridge.job_status import JobStatus
from acetate.plugins.bridge.launch import by_hand, server_command
from acetate.plugins.bridge.status.connection import ConnectionStatus
from acetate.plugins.bridge.status.job_queue import JobQueue
from acetate.plugins.bridge.translations import _
from acetate.protocol import Client, Connected, Disconnected, Engine
from gi.repository import Gdk, Gimp, GimpUi, GLib, Gtk, Pango

from ..host import GimpHost
from ..manual import page_of
from ..procedure_call import ProcedureCall, told
from ..widgets.layout import SPACING
from ..widgets.message_row import MessageRow, Offer
from ..widgets.mnemonics import CLOSE
from .discarding import Discarding
from .generate_page import GeneratePage
from .history_page import HistoryPage
from .queue_page import QueuePage
from .server_dialog import ServerDialog
from .session import Page, Session
from .single_window import answering
from .subject_row import SubjectRow
from .target import Target

MILLISECONDS = 40
LOOKING = 10
"""Ticks between two looks at what the person does in GIMP."""
SERVER_CHARACTERS = 32
"""What is told of the server beside the pages' names, at most."""


class MainWindow:
    """From opening to closing. `run` returns the layers that were made."""

    def __init__(self, call: ProcedureCall, connected: Callable[[], Client]) -> None:
        """`connected` makes a client of the server that is chosen at that time."""
        GimpUi.init("acetate")
        self._call, self._connected = call, connected
        self._message = MessageRow()
        jobs = EditorJobs(GimpHost(show=True, windowed=True), lambda: self._session.client)
        ours: set[str] = set()
        queue = JobQueue(jobs, lambda: self._session.client)
        discarding = Discarding(lambda job, pictures: self._session.client.discard(job, pictures), self._message)
        target = Target(call.image, ours)
        self._session = Session(connected(), jobs, queue, target, self._message.say, discarding, job_ids=ours)
        self._server = ConnectionStatus(by_hand())
        self._error: BaseException | None = None
        """What has ended the ticking: nothing will come any more."""
        self._closing = False
        self._ticks = 0
        self._loop = GLib.MainLoop()
        self._dialog = GimpUi.Dialog(title="Acetate", role="acetate", help_id=call.command.name)
        self._dialog.connect("response", lambda *_: self._guarded(self._close))
        self._dialog.connect("delete-event", self._on_delete)
        self._dialog.connect("key-press-event", self._on_key)
        self._subject = SubjectRow(self._session.target)
        self._generating = GeneratePage(self._session, call, self._close)
        self._history = HistoryPage(self._session, self._generating, self._show_forms, self._dialog)
        self._pages: Sequence[Page] = (self._generating, self._history, QueuePage(self._session))
        self._build()

    def run(self) -> list[Gimp.Layer]:
        """Until the window is closed."""
        ticking = GLib.timeout_add(MILLISECONDS, self._tick)
        self._choose(self._call.command.name, self._call.image)
        self._dialog.show()
        try:
            with answering(self._call.procedure.get_plug_in(), self._choose):
                self._loop.run()
        finally:
            if self._error is None:
                GLib.source_remove(ticking)
            for page in self._pages:
                page.close()
            self._session.discarding.empty()
            self._dialog.destroy()
            self._session.client.close()
        if self._error is not None:
            raise self._error
        return self._session.made

    def _choose(self, command: str, image: Gimp.Image | None) -> None:
        """Show what a procedure is for, on this image: the one that the window was opened by, or one that was called since."""
        if image is not None and not self._session.target.keeps:
            self._session.target.turn_to(image)
        history = command == "acetate-history"
        if not history:
            self._generating.choose(command)
        self._book.set_current_page(self._pages.index(self._history if history else self._generating))
        self._dialog.present()

    # --- time --------------------------------------------------------------------------------------------------------

    def _tick(self) -> bool:
        """PyGObject would print an exception from here and end the timer, and the window would wait for ever: it ends instead."""
        try:
            self._go_on()
        except BaseException as error:
            self._error = error
            self._loop.quit()
        return self._error is None

    def _go_on(self) -> None:
        self._ticks += 1
        session = self._session
        for event in session.client.poll():
            if session.connection.over:  # failed before; what comes now may be better
                session.connection = JobStatus()
            session.connection.take(event, time.monotonic())
            self._server.take(event)
            session.jobs.take(event)
            session.queue.take(event)
            if isinstance(event, (Connected, Engine)):
                session.engine = event.welcome.engine if isinstance(event, Connected) else event
                session.offers = Offers(session.engine)
            for page in self._pages:
                page.take(event)
            if isinstance(event, Connected):
                session.say("")
            elif isinstance(event, Disconnected) and session.connection.over:
                session.say(told(event.failure), offer=self._another_try())
        session.jobs.tick()
        elsewhere = self._ticks % LOOKING == 0 and session.target.look()
        if elsewhere:
            self._subject.show()
        for page in self._pages:
            page.look(elsewhere=elsewhere)
        self._subject.say(self._generating.place)
        self._show_server()
        summary = session.queue.summary
        self._tabs[-1].set_text(f"{self._pages[-1].label} ({summary})" if summary else self._pages[-1].label)
        if self._closing and not any(page.waiting for page in self._pages):
            self._loop.quit()

    # --- the person --------------------------------------------------------------------------------------------------

    def _guarded(self, act: Callable[[], object]) -> None:
        """Do what a button asks for; a mistake of ours is said, as a mistake, in place of the terminal alone."""
        try:
            act()
        except Exception as error:
            traceback.print_exc()
            self._session.say(_("An error in Acetate: {error}").format(error=repr(error)))

    def _close(self) -> None:
        """Stop what is being drawn, wait for what is being saved, and end."""
        self._closing = True
        for page in self._pages:
            for result in page.waiting:
                if result.save_as is None:
                    self._session.jobs.cancel(result)

    def _another_try(self) -> Offer:
        """What can be done where there is no connection: start a server, where that is ours to do, or only look again."""
        startable = chosen_server() is None and server_command() is not None
        label = _("Start Server") if startable else _("Try Again")
        about = _("Start the server on this computer") if startable else _("Look for the server again")
        return Offer(label, about, lambda: self._guarded(self._reconnect))

    def _reconnect(self) -> None:
        """Leave the present client for one of the server that is chosen now, by the command that is installed now."""
        session = self._session
        session.discarding.empty()
        session.client.close()
        session.say("")
        session.connection, session.engine, session.offers = JobStatus(), None, Offers()
        self._server = ConnectionStatus(by_hand())
        session.client = self._connected()

    def _choose_server(self) -> None:
        if any(page.waiting for page in self._pages):
            self._session.say(_("Results of the present server are on their way. Wait for them, or stop the job, then choose."))
            return
        dialog = ServerDialog(self._dialog, chosen_server())
        if not dialog.run() or dialog.address == chosen_server():
            return
        try:
            choose_server(dialog.address)
        except OSError as error:
            self._session.say(_("The choice cannot be kept: {reason}.").format(reason=error.strerror))
            return
        self._reconnect()

    def _on_delete(self, *_: object) -> bool:
        self._guarded(self._close)
        return True

    def _on_key(self, _widget: Gtk.Widget, event: Gdk.EventKey) -> bool:
        if event.keyval == Gdk.KEY_F1:
            self._guarded(lambda: Gtk.show_uri_on_window(self._dialog, page_of(self._page.help_id), event.time))
            return True
        if event.state & Gdk.ModifierType.MOD1_MASK and (number := event.keyval - Gdk.KEY_1) in range(len(self._pages)):
            self._book.set_current_page(number)
            return True
        if event.state & Gdk.ModifierType.MOD1_MASK and event.keyval == Gdk.KEY_0:
            self._guarded(self._choose_server)
            return True
        if event.state & Gdk.ModifierType.CONTROL_MASK and event.keyval == Gdk.KEY_z:
            return self._session.discarding.take_back()
        if event.keyval in (Gdk.KEY_Return, Gdk.KEY_KP_Enter) and event.state & Gdk.ModifierType.CONTROL_MASK:
            self._guarded(self._page.submit)
            return True
        return False

    def _show_forms(self) -> None:
        self._book.set_current_page(self._pages.index(self._generating))

    @property
    def _page(self) -> Page:
        shown: int = self._book.get_current_page()
        return self._pages[max(0, shown)]

    # --- what is seen ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._book = Gtk.Notebook()
        self._tabs: list[Gtk.Label] = []
        for number, page in enumerate(self._pages, 1):
            page.widget.set_border_width(2 * SPACING)
            tab = Gtk.Label(label=page.label, tooltip_text=f"Alt+{number}", margin_start=SPACING, margin_end=SPACING)
            self._book.append_page(page.widget, tab)
            self._tabs.append(tab)
        self._book.connect("switch-page", lambda _book, _widget, number: self._turn(self._pages[number]))

        self._server_label = Gtk.Label(ellipsize=Pango.EllipsizeMode.END, max_width_chars=SERVER_CHARACTERS)
        self._server_button = Gtk.Button(relief=Gtk.ReliefStyle.NONE)
        self._server_button.add(self._server_label)
        self._server_button.connect("clicked", lambda *_: self._guarded(self._choose_server))
        self._server_button.show_all()
        self._book.set_action_widget(self._server_button, Gtk.PackType.END)

        content = self._dialog.get_content_area()
        content.set_border_width(2 * SPACING)
        content.set_spacing(SPACING)
        content.pack_start(self._subject.widget, False, False, 0)
        content.pack_start(self._book, True, True, 0)
        content.pack_start(self._message.widget, False, False, 0)
        content.pack_start(self._buttons(), False, False, 0)
        content.show_all()
        self._dialog.get_action_area().hide()  # the buttons change with the page, and have a row of their own
        self._generating.adapt()
        self._turn(self._page)

    def _buttons(self) -> Gtk.Widget:
        row = Gtk.Box(spacing=SPACING)
        for page in self._pages:
            for button in page.buttons:
                row.pack_start(button, False, False, 0)
            row.pack_end(page.main_button, False, False, 0)
            page.main_button.connect("clicked", lambda *_, page=page: self._guarded(page.submit))
        close = Gtk.Button(label=_(CLOSE), use_underline=True)
        close.connect("clicked", lambda *_: self._guarded(self._close))
        row.pack_end(close, False, False, 0)
        return row

    def _turn(self, page: Page) -> None:
        for one in self._pages:
            for button in (*one.buttons, one.main_button):
                button.set_visible(one is page)
        self._dialog.set_title(page.title)
        self._guarded(page.show)

    def _show_server(self) -> None:
        """Which server this works with, on what; a click chooses another."""
        url = self._session.client.url or ""
        text = self._server.line(url) or self._server.text or self._server_label.get_text()
        if text != self._server_label.get_text():
            self._server_label.set_text(text)
            about = _("Choose the server: on this computer, or another one (Alt+0)")
            self._server_button.set_tooltip_text("\n".join(filter(None, (self._server.details(url), about))))
            self._server_button.get_accessible().set_name(f"{text}. {about}")
