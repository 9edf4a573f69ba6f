"""Pictures of GIMP's window, for a person to look at; kept in $ACETATE_KEEP."""

from __future__ import annotations

import pytest

from .conftest import Gimp

PICTURES = ("idle", "window", "candidates", "history", "drawing", "queue", "failure")
SCREEN = "1560x825"


@pytest.mark.usefixtures("drawing_server")
def test_the_window_is_drawn_in_all_its_states(gimp: Gimp) -> None:
    gimp.prove("looks", "the_window_is_drawn_in_all_its_states", on_screen=SCREEN)
    assert all((gimp.out / f"{name}.png").stat().st_size > 1000 for name in PICTURES)
