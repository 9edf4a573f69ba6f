"""The codes of what can go wrong, and how a failure travels."""

from __future__ import annotations

from acetate.protocol import CODES, Failure, ProtocolError


def test_every_code_has_a_meaning_and_the_form_of_one() -> None:
    assert all(code == code.lower() and " " not in code and meaning for code, meaning in CODES.items())


def test_an_error_carries_its_failure_and_both_name_what_is_wrong() -> None:
    """The code is for programs, and in a log for people; an error's own text is the message alone."""
    error = ProtocolError("disk-full", "the disk is full", "Free some space.")
    assert error.failure == Failure("disk-full", "the disk is full", "Free some space.")
    assert (str(error), str(error.failure)) == ("the disk is full", "the disk is full (disk-full)")
