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


@claim
def written_from_right_to_left_nothing_is_cut_off_or_left_behind():
    application = QtWidgets.QApplication.instance()
    application.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    yield 500
    screenshot("right-to-left")
    try:
        form = docker().form_panel
        label = next(one for one in form.findChildren(QtWidgets.QLabel) if one.buddy() == form.model)
        assert label.mapToGlobal(QtCore.QPoint()).x() > form.model.mapToGlobal(QtCore.QPoint()).x()
        inside = docker().widget().rect()
        for one in docker().findChildren(QtWidgets.QWidget):
            if one.objectName().startswith("acetate_") and one.isVisible() and not one.visibleRegion().isEmpty():
                corner = one.mapTo(docker().widget(), QtCore.QPoint())
                assert inside.left() <= corner.x() and corner.x() + one.width() <= inside.right() + 1, one.objectName()
    finally:
        application.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
