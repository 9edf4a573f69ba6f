"""What an engine sends, on its way to a file: pictures go on, the rest is drawn for whoever looks."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from acetate.engine import Picture, Progress
from acetate.server.command_line.progress import shown


class Terminal(io.StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        return True


def picture(index: int) -> Picture:
    return Picture(rgba=np.zeros((2, 2, 4), np.uint8), role="foreground", index=index, seed=index, parameters={})


PICTURES = [picture(0), picture(1)]


def events() -> Iterator[Progress | Picture]:
    yield Progress(stage="denoise", step=3, steps=8, fraction=0.5)
    yield from PICTURES


def test_pictures_come_in_their_order_and_nothing_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(shown(events())) == PICTURES
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_shows_the_step_unless_it_is_to_be_quiet(monkeypatch: pytest.MonkeyPatch, quiet: bool) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert list(shown(events(), quiet=quiet)) == PICTURES
    assert ("denoise 3/8" in terminal.getvalue(), bool(terminal.getvalue())) == (not quiet, not quiet)
