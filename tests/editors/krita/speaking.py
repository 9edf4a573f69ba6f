"""Krita in another language than English: which one that is says SPOKEN, some of our texts in it."""

import json
import os

from acetate.plugins.krita.qt import Qt, QtCore, QtWidgets
from desk import docker, screenshot, show_docker
from krita import Krita
from pieces import claim
from stage import new_document

SPOKEN = json.loads(os.environ["SPOKEN"])


@claim
def docker_and_actions_speak_the_language_of_krita():
    new_document(640, 640)
    show_docker()
    yield lambda: docker().button.isVisible()
    asked = QtCore.QLocale().uiLanguages(), os.environ.get("LANGUAGE"), os.environ.get("LANG")
    assert docker().button.text() == SPOKEN["Generate"], asked
    tasks = docker().form_panel.task
    assert tasks.itemText(tasks.findData("scene")) == SPOKEN["Scene"]
    action = Krita.instance().action("acetate_cancel_all")
    assert action.text() == SPOKEN["Acetate: Cancel All"]
    assert action.toolTip() == action.text()
    yield 300
    screenshot("spoken")
    yield 1000
    _nothing_is_cut_off()


@claim
def written_from_right_to_left_nothing_is_cut_off_or_left_behind():
    application = QtWidgets.QApplication.instance()
    application.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    yield 500
    screenshot("right-to-left")
    yield 1000
    try:
        form = docker().form_panel
        label = next(one for one in form.findChildren(QtWidgets.QLabel) if one.buddy() == form.model)
        assert label.mapToGlobal(QtCore.QPoint()).x() > form.model.mapToGlobal(QtCore.QPoint()).x()
        _nothing_is_cut_off()
    finally:
        application.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def _nothing_is_cut_off():
    """What scrolls up and down is as wide as there is room beside the bar."""
    for area in docker().findChildren(QtWidgets.QScrollArea):
        content, room = area.widget().width(), area.viewport().width()
        least = area.widget().minimumSizeHint().width()
        assert content <= room, f"{content} pixels, {least} at least, of which {room} are seen: {area.widget()}"
