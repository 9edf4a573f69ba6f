"""What is wrong with a command line, said in one line."""

from __future__ import annotations

import pytest
from acetate.server.command_line.parser import Parser


@pytest.fixture
def parser() -> Parser:
    made = Parser(prog="acetate draw")
    made.add_argument("shape", choices=("kite", "apple"))
    made.add_argument("--steps", type=int)
    made.add_argument("--guidance", type=float)
    made.add_argument("--name")
    return made


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["kite", "--steps", "2.5"], "--steps is '2.5'; it must be a whole number"),
        (["kite", "--guidance", "much"], "--guidance is 'much'; it must be a number"),
        (["sky"], "shape is 'sky'; it must be one of "),
        (["kite", "--name"], "--name: expected one argument"),
        (["kite", "--colour", "red"], "--colour red"),
    ],
)
def test_the_value_and_what_would_be_right_are_a_line_and_where_to_read_on_another(
    parser: Parser, words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parser.parse_args(words)
    out, err = capsys.readouterr()
    first, hint = err.splitlines()

    assert (end.value.code, out) == (2, "")
    assert first.startswith("acetate: ") and named in first and "argument " not in first.partition(named)[0]
    assert "acetate draw --help" in hint


def test_the_whole_usage_is_for_who_asks_for_it(parser: Parser, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parser.parse_args(["--help"])
    assert end.value.code == 0 and "--guidance" in capsys.readouterr().out


def test_a_word_that_is_nearly_right_is_answered_with_the_right_one(parser: Parser, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser.parse_args(["aple"])
    assert "did you mean 'apple'? see acetate draw --help" in capsys.readouterr().err
