"""Krita with no server running and none that could be started."""

from desk import choose, click, docker, failure_of, session, show_docker, type_prompt
from pieces import claim, names
from stage import new_document


@claim
def the_one_command_to_run_is_shown():
    document = new_document()
    show_docker()
    yield lambda: docker().error.isVisible()
    assert "/nowhere/acetate serve" in docker().error.text()
    assert docker().status.text() == "No server is running"
    choose("task", "foreground")
    type_prompt("a red apple")
    yield 100
    failure = yield from failure_of(lambda: click(docker().button), beginning="no-server")
    assert "acetate serve" in failure.hint
    yield lambda: session().current is None
    assert names(document) == ["Background"]
