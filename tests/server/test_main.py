"""The program `acetate` as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from acetate.server.__main__ import main

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


def test_a_refusal_imports_nothing_that_it_does_not_need() -> None:
    """What each of these takes is most of what refusing does; the time itself is measured in docs/performance.md."""
    code = "import sys; from acetate.server.__main__ import main; print(main(sys.argv[1:]), *sys.modules)"
    words = (sys.executable, "-c", code, "generate", "a fox", "-o", "x.png", "--steps", "0")
    done = subprocess.run(words, capture_output=True, text=True)
    assert "--steps is 0" in done.stderr and done.stdout.startswith("2 ")
    needless = {"torch", "websockets", "rich", "yaml", "psd_tools", "importlib.metadata", "acetate.protocol", "asyncio"}
    assert not needless & set(done.stdout.split())


@pytest.mark.parametrize("word", ["-V", "--version", "version"])
def test_the_version_is_told_however_it_is_asked_for(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([word])
    assert end.value.code == 0 and capsys.readouterr().out.startswith("acetate ")


def test_help_may_be_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["help", "doctor"])
    assert end.value.code == 0 and "acetate doctor" in capsys.readouterr().out


def test_a_command_that_is_nearly_right_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["genrate", "a fox"])
    said = capsys.readouterr().err.splitlines()
    assert end.value.code == 2
    assert said == ["acetate: there is no command 'genrate'", "         did you mean 'generate'? see acetate --help"]


def run_program(words: list[str], stdout: int = subprocess.PIPE, **environment: str) -> subprocess.CompletedProcess[bytes]:
    program = "import sys; from acetate.server.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, env={**os.environ, **environment}, check=False)


def test_who_has_read_enough_of_a_list_ends_it_quietly() -> None:
    """As `acetate completion bash | head -1` does."""
    reading, writing = os.pipe()
    os.close(reading)
    done = run_program(["completion", "bash"], writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_terminal_that_lacks_letters_gets_their_numbers() -> None:
    done = run_program(["layers", "\u540d\u524d.psd"], PYTHONIOENCODING="ascii")
    assert done.returncode != 0 and b"\\u540d\\u524d.psd" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_names_are_written_as_they_are_where_nothing_says_that_they_are_utf_8() -> None:
    everything_ascii = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run_program(["layers", "\u540d\u524d.psd"], **everything_ascii)
    assert b"\\u540d\\u524d.psd cannot be read" in done.stderr


@pytest.mark.parametrize(("line", "expected"), [("acetate gen", b"generate"), ("acetate models --js", b"--json")])
def test_shells_complete_commands_and_the_options_of_the_one_that_was_typed(line: str, expected: bytes, tmp_path: Path) -> None:
    out = tmp_path / "completions"
    run_program([], _ARGCOMPLETE="1", COMP_LINE=line, COMP_POINT=str(len(line)), _ARGCOMPLETE_STDOUT_FILENAME=str(out))
    assert expected in out.read_bytes()
