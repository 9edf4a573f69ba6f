"""Krita is started while jobs of its last run are still at the server."""

from desk import OUT, click, docker, session, show_docker
from pieces import claim
from stage import new_document


@claim
def jobs_that_were_left_behind_are_shown_and_one_is_stopped():
    new_document()
    show_docker()
    shown = docker().queue.list
    yield lambda: docker().queue.isVisible() and shown.count() == 2
    running, waiting = (shown.row_widget(number) for number in range(2))
    assert [running._title.toolTip(), waiting._title.toolTip()] == ["left behind @gate:left", "not wanted any more"]
    assert all("from an earlier run" in row._text.toolTip() for row in (running, waiting))
    assert docker().queue.summary.text() == "1 running, 1 waiting"
    click(waiting.stop)
    yield lambda: shown.count() == 1
    assert session().queue.rows[0].job == (OUT / "job").read_text()
