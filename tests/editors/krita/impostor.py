"""Krita beside a state file whose server is gone, with another program on its port and no server that could be started."""

from desk import click, docker, failure_of, field, session, show_docker, type_prompt
from pieces import claim, names
from stage import new_document


@claim
def why_there_is_no_connection_is_said_and_never_reconnecting_for_ever():
    document = new_document()
    show_docker()
    yield lambda: session().client is not None and not session().client.connected
    yield lambda: docker().error.isVisible()
    assert "does not know the token" in docker().error.text(), docker().error.text()
    assert docker().status.text() == "No connection"
    assert field("try_again").isVisible() and field("copy_details").isVisible()
    type_prompt("a red apple")
    failure = yield from failure_of(lambda: click(docker().button), beginning="not-the-server")
    assert "acetate serve" in failure.hint
    yield lambda: session().current is None
    assert names(document) == ["Background"] and docker().form_panel.prompt.text() == "a red apple"


@claim
def trying_again_says_it_again():
    show_docker()
    docker().error.hide()
    session().status.forget()
    yield lambda: docker().error.isVisible()
    click(field("try_again"))
    assert not docker().error.isVisible()
    yield lambda: docker().error.isVisible()
