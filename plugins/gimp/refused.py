"""What a person is told instead of a result: one sentence of what is the matter, one of what to do."""

from __future__ import annotations


class RefusedError(Exception):
    """A run that cannot go on; its text goes to the person as a GIMP error."""


class StoppedError(Exception):
    """The person stopped the run; a normal end without a result."""
