"""How a command ends: its code, and what is said of it."""

from __future__ import annotations

import argparse
import errno

import pytest
from acetate.document.errors import UnsupportedFile
from acetate.engine import BadRequest, ModelMissing, OutOfMemory
from acetate.protocol import ProtocolError
from acetate.server.command_line.exit_codes import FailedError, NotRunningError, UsageError, reported

WHAT, HINT = "the kite is torn", "mend it first"


def ending(result: BaseException | int) -> argparse.Namespace:
    """The options of a command that ends so."""

    def run(options: argparse.Namespace) -> int:
        if isinstance(result, BaseException):
            raise result
        return result

    return argparse.Namespace(run=run)


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_command_that_comes_to_its_end_says_its_own_code(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(ending(code)) == code
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError(WHAT, HINT), 2),
        (BadRequest(WHAT, HINT), 2),
        (UnsupportedFile(WHAT, HINT), 2),
        (ModelMissing(WHAT, HINT), 1),
        (FailedError(WHAT, HINT), 1),
        (OutOfMemory(WHAT, HINT), 1),
        (ProtocolError("no-server", WHAT, HINT), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_wrong_and_what_would_be_right_are_a_line_each(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 where the command line has to be changed, 1 where something else has."""
    assert reported(ending(error)) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"acetate: {WHAT}\n         {HINT}\n")


def test_without_a_hint_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    reported(ending(UsageError(WHAT)))
    assert capsys.readouterr().err == f"acetate: {WHAT}\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "made.png"), "made.png: No space left on device"),
        (OSError(errno.ENODEV, "No such device"), "No such device"),
        (OSError("timed out"), "timed out"),
    ],
    ids=["file", "no file", "words alone"],
)
def test_an_error_of_the_system_names_its_file(error: OSError, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(ending(error)) == 1
    assert capsys.readouterr().err == f"acetate: {said}\n"


def test_running_out_of_memory_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(ending(MemoryError())) == 1
    assert "memory" in capsys.readouterr().err


def test_ctrl_c_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(ending(KeyboardInterrupt())) == 130
    assert "acetate: " not in capsys.readouterr().err


def test_a_mistake_of_the_program_keeps_its_traceback() -> None:
    with pytest.raises(KeyError, match="kite"):
        reported(ending(KeyError("kite")))


def test_without_a_server_scripts_see_a_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(ending(NotRunningError("no server is running"))) == 3
    assert capsys.readouterr().err == "acetate: no server is running\n         Start one: acetate serve\n"
