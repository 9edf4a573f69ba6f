"""The program `acetate` as a process."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, signal, sys
from acetate.server import __main__
from acetate.server.commands import doctor

def run(options):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        print("tidied")

doctor.run = run
sys.argv = ["acetate", "doctor"]
sys.exit(__main__.main())
"""


def test_an_end_from_outside_lets_a_command_tidy_up() -> None:
    """Half-written files lie beside their names until then."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (143, "tidied\n"), done.stderr
