"""Krita in another language than English: which one that is says SPOKEN, some of our texts in it."""

import json
import os

from acetate.plugins.krita.qt import QtCore, QtWidgets
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
    yield 1300
    _nothing_is_cut_off()
    screenshot("spoken")


@claim
def columns_stand_in_the_order_of_the_script():
    """In Arabic and Hebrew labels are to the right of their fields."""
    from_the_right = QtWidgets.QApplication.instance().isRightToLeft()
    assert from_the_right == bool(os.environ["FROM_THE_RIGHT"])
    form = docker().form_panel
    label = next(one for one in form.findChildren(QtWidgets.QLabel) if one.buddy() == form.model)
    yield 100
    assert (label.mapToGlobal(QtCore.QPoint()).x() > form.model.mapToGlobal(QtCore.QPoint()).x()) == from_the_right


def _nothing_is_cut_off():
    """What scrolls up and down is as wide as there is room beside the bar."""
    for area in docker().findChildren(QtWidgets.QScrollArea):
        content, room = area.widget().width(), area.viewport().width()
        least = area.widget().minimumSizeHint().width()
        assert content <= room, f"{content} pixels, {least} at least, of which {room} are seen: {area.widget()}"
