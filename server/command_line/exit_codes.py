"""How a command fails: one line that names the value, one that says what would be right, and an exit code."""

from __future__ import annotations

import argparse
import sys

from acetate.document.errors import DocumentError
from acetate.engine import BadRequest, EngineError
from acetate.protocol.errors import ProtocolError

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
        return int(options.run(options))
    except NotRunningError as error:
        return _say(error, NOT_RUNNING)
    except (UsageError, BadRequest, DocumentError) as error:
        return _say(error, USAGE)
    except (EngineError, ProtocolError, FailedError) as error:
        return _say(error, FAILURE)
    except MemoryError:
        return _say(EngineError("out of memory", "choose a smaller size or close other programs"), FAILURE)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _say(EngineError(f"{where}{error.strerror or error}"), FAILURE)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED


def _say(error: Exception, code: int) -> int:
    print(f"acetate: {error}", file=sys.stderr)
    hint = error.failure.hint if isinstance(error, ProtocolError) else getattr(error, "hint", "")
    if hint:
        print(f"         {hint}", file=sys.stderr)
    return code
