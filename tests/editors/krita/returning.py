"""Krita is started again after it was closed while a job ran."""

from desk import OUT, docker, inserted_by, prepared, session
from pieces import claim, names


@claim
def the_history_has_what_was_finished_meanwhile_and_a_click_inserts_it():
    document = yield from prepared()
    rows, job = docker().history, (OUT / "job").read_text()
    yield lambda: rows.count() > 0
    assert rows.headings()[0].startswith("left behind")
    yield from inserted_by(lambda: rows.itemDoubleClicked.emit(rows.item(1)))
    assert list(session().history.entries)[0] == job
    assert names(document) == ["Background", "left behind @gate:left (7)"]
