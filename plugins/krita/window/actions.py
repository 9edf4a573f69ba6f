"""The actions in Tools > Scripts, which every window has: names, texts and icons, and what each does to its window's docker.

None has a shortcut by itself: an artist gives them some in Krita's settings. `acetate.action` describes them to Krita.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from acetate.plugins.bridge.translations import _, marked
from krita import Krita

from ..qt import guarded
from .front import window_of

MENU = "tools/scripts"


class Action(NamedTuple):
    """One action: its text, Krita's own icon (which fits light and dark themes), and what it does to a docker."""

    text: str
    icon: str
    act: Callable[[Any], Any]


ACTIONS = {
    "acetate_show": Action(marked("Acetate: Show Docker"), "docker_lock_b", lambda docker: docker.show_prompt()),
    "acetate_generate": Action(marked("Acetate: Generate"), "media-playback-start", lambda docker: docker.generate()),
    "acetate_repeat": Action(marked("Acetate: Repeat with New Seed"), "view-refresh", lambda docker: docker.repeat()),
    "acetate_cancel": Action(marked("Acetate: Cancel"), "media-playback-stop", lambda docker: docker.cancel()),
    "acetate_cancel_all": Action(marked("Acetate: Cancel All"), "dialog-cancel", lambda docker: docker.cancel_all()),
    "acetate_previous": Action(marked("Acetate: Previous Candidate"), "arrow-left", lambda docker: docker.pictures.step(-1)),
    "acetate_next": Action(marked("Acetate: Next Candidate"), "arrow-right", lambda docker: docker.pictures.step(1)),
    "acetate_insert": Action(marked("Acetate: Insert Candidate"), "addlayer", lambda docker: docker.pictures.insert_chosen()),
    "acetate_replace": Action(
        marked("Acetate: Replace Layer with Candidate"), "duplicatelayer", lambda docker: docker.pictures.replace_chosen()
    ),
    "acetate_insert_file": Action(
        marked("Acetate: Insert Layers from File…"), "document-open", lambda docker: docker.choose_file()
    ),
}


def create(window: Any, docker_of: Callable[[Any], Any]) -> None:
    """Give the window its actions; `docker_of` finds the docker of a window when one is triggered, or `None`."""
    for name, action in ACTIONS.items():
        made = window.createAction(name, _(action.text), MENU)
        made.setIcon(Krita.instance().icon(action.icon))
        made.triggered.connect(_slot(action, docker_of))


def _slot(action: Action, docker_of: Callable[[Any], Any]) -> Callable[..., None]:
    def act() -> None:
        # Krita's wrapper of a window dies before the window, so the one in front is asked for each time.
        window = window_of(None)
        docker = docker_of(window)
        if docker is not None:
            action.act(docker)
            return
        view = window.activeView() if window is not None else None
        if view is not None:
            said = _("This window has no Acetate docker. Close it and open a new one: Window > New Window.")
            view.showFloatingMessage(said, Krita.instance().icon("warning"), 8000, 0)

    return guarded(act)
