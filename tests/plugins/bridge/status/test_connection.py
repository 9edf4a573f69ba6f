"""What is told while a server is looked for, found, lost and not found again."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from acetate.plugins.bridge.status.connection import ConnectionStatus
from acetate.protocol import Connected, Disconnected, Engine, Failure, Starting
from acetate.protocol.messages import Device

LOST = Failure("connection-lost", "gone", "Trying to reconnect.")
WRONG = Failure("not-the-server", "it is a web server", "Start the server.")
NO_SERVER = Failure("no-server", "no server is running", "?")


@pytest.fixture
def status():
    return ConnectionStatus("acetate serve")


def connected(*devices, device="cpu"):
    return Connected(SimpleNamespace(server="acetate 0.4", engine=Engine("ready", device, devices=devices)))


def test_looking_starting_and_connecting_are_no_failures(status):
    assert status.text == "Looking for the server"
    assert [status.take(event) for event in (Starting(("acetate", "serve")), connected())] == [None, None]
    assert (status.text, status.failure) == ("", None)


def test_a_connection_that_is_back_in_a_moment_is_no_failure(status):
    status.take(connected())
    assert status.take(Disconnected(LOST, 0.1)) is None
    assert (status.text, status.failure) == ("Reconnecting", None)


def test_before_the_first_connection_nothing_is_reconnected(status):
    status.take(Disconnected(WRONG, 0.1))
    assert status.text == "Looking for the server"


def test_why_there_is_none_is_told_once_and_again_after_a_connection(status):
    told = [status.take(Disconnected(WRONG, 1.0, settled)) for settled in (False, False, True, True)]
    assert (told, status.text) == ([None, None, WRONG, None], "No connection")
    status.take(connected())
    assert status.take(Disconnected(WRONG, 1.0, settled=True)) == WRONG


def test_another_reason_is_told_as_well(status):
    assert status.take(Disconnected(WRONG, 1.0, settled=True)) == WRONG
    assert status.take(Disconnected(LOST, 1.0, settled=True)) == LOST


def test_what_is_not_tried_again_is_not_connected(status):
    assert status.take(Disconnected(WRONG, None, settled=True)) == WRONG
    assert status.text == "Not connected"


def test_without_a_server_the_command_that_starts_one_is_said(status):
    told = status.take(Disconnected(NO_SERVER, 1.0, settled=True))
    assert (status.text, told.hint) == ("No server is running", "Start it in a terminal: acetate serve")


@pytest.mark.parametrize(
    ("devices", "url", "line"),
    [
        ((), "ws://127.0.0.1:5/", "This computer · cpu"),
        ((Device("cuda:0", "ready", "sketchpad"),), "ws://127.0.0.1:5/", "This computer · cuda:0 · sketchpad"),
        ((Device("cuda:0"), Device("cuda:1")), "wss://studio.example:5/", "studio.example · cuda:0 + 1"),
        ((Device("cuda:0", "failed"), Device("cpu", "ready", "sdxl")), "", "This computer · cpu + 1 · sdxl"),
        ((Device("cuda:0", "starting"),), "", "This computer · cuda:0 · starting"),
    ],
)
def test_the_line_names_server_device_and_model(status, devices, url, line):
    status.take(connected(*devices))
    assert status.line(url) == line


def test_the_line_follows_the_engine_and_is_empty_without_a_connection(status):
    assert status.line() == ""
    status.take(connected())
    status.take(Engine("ready", "cpu", devices=(Device("cpu", "ready", "sketchpad"),)))
    assert status.line() == "This computer · cpu · sketchpad"
    status.take(Disconnected(LOST, 0.1))
    assert (status.line(), status.details()) == ("", "Reconnecting")


def test_the_details_name_what_is_out_of_order(status):
    broken = Device("cuda:0", "failed", failure=Failure("engine-unavailable", "no driver"))
    status.take(connected(broken, Device("cpu", "ready", "sketchpad")))
    said = status.details("ws://127.0.0.1:5/")
    assert said.splitlines() == ["acetate 0.4", "ws://127.0.0.1:5/", "cuda:0: no driver", "cpu: sketchpad: ready"]
