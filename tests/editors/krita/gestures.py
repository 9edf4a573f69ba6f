"""What a result never ends: a stroke, an outline, a transformation, a text, a drag, by mouse, pen or finger."""

import hand
from acetate.plugins.krita.qt import QtWidgets
from desk import docker
from krita import Krita
from moments import arrives, assert_waits, at_work, is_in
from painting import BRUSH, WAIT, click_at, finger, go, pen, press, release, tool
from pieces import claim, names

WRITES_ON_CANVAS = tuple(int(part) for part in Krita.instance().version().split(".")[:2] if part.isdecimal()) >= (5, 3)
"""Before Krita 5.3, texts were written in a window of their own."""
TRIES = 6
"""How often a text is begun by a mouse that a busy Krita may not have heeded yet."""


@claim
def a_stroke_goes_on_while_a_result_arrives_and_the_result_comes_after_it():
    document, mine, result = yield from at_work("stroke")
    yield from press(0.3, 0.5)
    yield from go(0.5, 0.5)
    yield from arrives("stroke", result)
    assert_waits(document, result)
    yield from go(0.7, 0.5)
    yield from release()
    yield is_in(result)
    bounds, whole = mine.bounds(), document.width()
    assert bounds.x() + bounds.width() > 0.62 * whole, (bounds, whole)
    assert names(document)[2].startswith("a fig") and not docker().ready.isVisible()


@claim
def a_lasso_is_closed_by_the_hand_and_not_by_a_result():
    document, _, result = yield from at_work("lasso")
    yield from tool("KisToolSelectOutline")
    yield from press(0.3, 0.3)
    yield from go(0.6, 0.3)
    yield from arrives("lasso", result)
    assert_waits(document, result)
    yield from go(0.6, 0.7)
    yield from go(0.3, 0.7)
    yield from release()
    yield is_in(result)
    assert document.selection().height() > 0.3 * document.height(), document.selection().height()
    yield from tool(BRUSH)


@claim
def a_polygon_that_is_set_click_by_click_is_not_broken_off():
    document, _, result = yield from at_work("polygon")
    yield from tool("KisToolSelectPolygonal")
    yield from click_at(0.3, 0.3)
    yield from click_at(0.6, 0.3)
    yield from arrives("polygon", result)
    assert_waits(document, result)
    yield from click_at(0.6, 0.7)
    yield from hand.press("Return")
    yield is_in(result)
    assert document.selection().height() > 0.3 * document.height()
    yield from tool(BRUSH)


@claim
def a_transformation_keeps_its_handles_until_it_is_applied():
    document, mine, result = yield from at_work("transform")
    yield from tool("KisToolTransform")
    yield 3 * WAIT
    yield from arrives("transform", result)
    assert_waits(document, result)
    before = mine.bounds()
    yield from press(0.12, 0.145)
    yield from go(0.3, 0.3)
    yield from release()
    assert_waits(document, result)
    yield from hand.press("Return")
    yield is_in(result)
    assert mine.bounds() != before, "the transformation was applied"
    yield from tool(BRUSH)


@claim
def a_crop_frame_stays_until_it_is_left():
    document, _, result = yield from at_work("crop")
    yield from tool("KisToolCrop")
    yield from press(0.2, 0.2)
    yield from go(0.6, 0.6)
    yield from release()
    yield from arrives("crop", result)
    assert_waits(document, result)
    yield from tool(BRUSH)
    yield is_in(result)


@claim
def a_text_that_is_being_written_stays_open():
    document, _, result = yield from at_work("text")
    yield from tool("SvgTextTool")
    if WRITES_ON_CANVAS:
        yield from _write_on_canvas(document, result)
    else:
        yield from _write_in_window(document, result)
    yield from tool(BRUSH)
    yield is_in(result)


def _write_on_canvas(document, result):
    yield from press(0.3, 0.3)
    yield from go(0.6, 0.5)
    yield from release()
    yield 3 * WAIT
    yield from hand.type_text("glass ")
    yield 3 * WAIT
    there = names(document)
    yield from arrives("text", result)
    assert_waits(document, result, there)
    yield from hand.type_text("and water")
    yield 3 * WAIT
    shapes = [shape for node in document.topLevelNodes() if node.type() == "vectorlayer" for shape in node.shapes()]
    written = "".join(shape.toSvg() for shape in shapes)
    assert "glass and water" in written, written


def _write_in_window(document, result):
    for _ in range(TRIES):
        yield from press(0.3, 0.3)
        yield from go(0.6, 0.5)
        yield from release()
        yield 5 * WAIT
        if _text_editor() is not None:
            break
    yield lambda: _text_editor() is not None
    yield 3 * WAIT
    there = names(document)
    text = next(one for one in _text_editor().findChildren(QtWidgets.QTextEdit) if one.isVisible())
    yield from hand.click(text)
    yield from hand.type_text("glass ")
    yield from arrives("text", result)
    assert_waits(document, result, there)
    yield from hand.type_text("and water")
    written = text.toPlainText()
    assert "glass " in written and "and water" in written, written
    for button in ("Save", "Close"):
        shown = _text_editor().findChildren(QtWidgets.QPushButton)
        yield from hand.click(next(one for one in shown if one.text().replace("&", "") == button))
    yield lambda: _text_editor() is None


@claim
def a_pen_that_is_down_is_waited_for():
    document, _, result = yield from at_work("pen")
    yield from pen("Press", 0.3, 0.5)
    yield from arrives("pen", result)
    assert_waits(document, result)
    yield from pen("Release", 0.3, 0.5)
    yield is_in(result)


@claim
def a_finger_on_the_canvas_is_waited_for():
    document, _, result = yield from at_work("finger")
    finger("Begin")
    yield from arrives("finger", result)
    assert_waits(document, result)
    finger("End")
    yield is_in(result)


def _text_editor():
    """Krita's window for a text; `None` while there is none."""
    found = [one for one in QtWidgets.QApplication.topLevelWidgets() if one.metaObject().className() == "SvgTextEditor"]
    return next((one for one in found if one.isVisible()), None)
