"""How a command fails: one line that names the value, one that says what would be right, and an exit code."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys

from acetate.engine import BadRequest, EngineError

from .option_names import in_options

USAGE, FAILURE, INTERRUPTED = 2, 1, 130
NOT_RUNNING = 3
"""What `status` and the like end with when no server runs: the code that service managers know."""


class UsageError(Exception):
    """The command line itself is wrong; the message names the value, `hint` says what would be right."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class FailedError(Exception):
    """What was asked for was not done; the message says what, `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class NotRunningError(Exception):
    """No server runs; `hint` says what would start one."""

    hint = "Start one: acetate serve"


def reported(options: argparse.Namespace) -> int:
    """Run the chosen command and return its exit code; errors that a person can act on become a clear line, not a traceback."""
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except NotRunningError as error:
        return _say(error, NOT_RUNNING)
    except _classes(UsageError, BadRequest, DOCUMENT_ERROR) as error:
        return _say(error, USAGE)
    except _classes(EngineError, FailedError, PROTOCOL_ERROR) as error:
        return _say(error, FAILURE)
    except MemoryError:
        return _say(EngineError("out of memory", "choose a smaller size or close other programs"), FAILURE)
    except BrokenPipeError:
        _write_no_more()
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _say(EngineError(f"{where}{error.strerror or error}"), FAILURE)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED


DOCUMENT_ERROR, PROTOCOL_ERROR = "acetate.document.errors:DocumentError", "acetate.protocol.errors:ProtocolError"


def _classes(*exceptions: type[Exception] | str) -> tuple[type[Exception], ...]:
    """Those that are given as `module:name` only if the module is imported: else nobody has raised them, and importing takes
    longer than refusing."""
    return tuple(kind for one in exceptions if (kind := _imported(one) if isinstance(one, str) else one) is not None)


def _imported(exception: str) -> type[Exception] | None:
    module, _, name = exception.partition(":")
    return getattr(sys.modules.get(module), name, None)


def _write_no_more() -> None:
    """Whoever read has enough, as `head` in `acetate models | head`: let Python not fail again when it flushes at its end."""
    with contextlib.suppress(OSError, ValueError):  # it may be no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _readable(text: str) -> str:
    """The text with the names of files as they are written where a terminal is said to have ASCII alone (`LC_ALL=C`)."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a pair of surrogates, which no name of a file gives
        return text


def sentences(error: Exception) -> list[str]:
    """What is wrong in the words of the command line, and what would help, if anything is known to."""
    hint = str(getattr(getattr(error, "failure", error), "hint", ""))  # a ProtocolError has a failure with one
    message = str(error)
    if isinstance(error, EngineError):
        message, hint = in_options(message), in_options(hint)
    return [_readable(message), *([_readable(hint)] if hint else [])]


def _say(error: Exception, code: int) -> int:
    print("acetate: " + "\n         ".join(sentences(error)), file=sys.stderr)
    return code
