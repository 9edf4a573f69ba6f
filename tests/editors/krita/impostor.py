"""Krita beside a state file whose server is gone, with another program on its port and no server that could be started.

The state files are in LEFT, by what answers there.
"""

import json
import os
from pathlib import Path

from desk import click, docker, failure_of, field, session, show_docker, type_prompt
from pieces import claim, names
from stage import new_document

LEFT = json.loads(os.environ["LEFT"])


def said():
    return docker().error.text() if docker().error.isVisible() else ""


def leave_behind(which):
    """Another dead server's state file lies there from now on."""
    docker().error.hide()
    Path(os.environ["ACETATE_HOME"], "server.json").write_text(LEFT[which])


@claim
def why_there_is_no_connection_is_said_and_never_reconnecting_for_ever():
    document = new_document()
    show_docker()
    leave_behind("web")
    yield lambda: "does not know the token" in said()
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


@claim
def a_program_that_takes_the_connection_and_says_nothing_is_named():
    leave_behind("silent")
    yield lambda: "has said nothing" in said()
    assert docker().status.text() == "No connection" and "acetate serve" in said(), said()


@claim
def a_server_of_another_version_is_named_with_what_to_update():
    leave_behind("other")
    yield lambda: "another version" in said()
    assert docker().status.text() == "Not connected" and "acetate plugin install all" in said(), said()
    assert field("try_again").isVisible()
