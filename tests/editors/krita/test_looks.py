"""Pictures of the docker in a dark and a light theme, for a person to look at; kept in $ACETATE_SCREENSHOTS."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.editors


@pytest.mark.parametrize("theme", ["Krita dark", "Krita bright"])
def test_the_docker_is_drawn_in_all_its_states(computer, drawing_server, theme):
    computer.set_theme(theme)
    outcome = computer.run("looks", server=drawing_server)
    wrong = [f"{name}: {found['error']}" for name, found in outcome.results.items() if not found["ok"]]
    assert not wrong, "\n".join(wrong)
    pictures = [
        outcome.folder / f"{name}.png" for name in ("idle", "generating", "queue", "error", "history", "refine", "note", "window")
    ]
    assert all(picture.stat().st_size > 1000 for picture in pictures)
    keep_pictures(pictures, theme)


@pytest.mark.parametrize("theme", ["Krita dark", "Krita bright"])
def test_candidates_and_history_are_drawn_in_all_their_states(computer, drawing_server, theme):
    computer.set_theme(theme)
    outcome = computer.run("picture_looks", server=drawing_server)
    wrong = [f"{name}: {found['error']}" for name, found in outcome.results.items() if not found["ok"]]
    assert not wrong, "\n".join(wrong)
    pictures = [outcome.folder / f"{name}.png" for name in ("strip", "large", "on-canvas", "thrown", "narrow", "right-to-left")]
    assert all(picture.stat().st_size > 1000 for picture in pictures)
    keep_pictures(pictures, theme)


def keep_pictures(pictures, theme):
    """Copy them to where a person looks, if that is asked for."""
    if keep := os.environ.get("ACETATE_SCREENSHOTS"):
        for picture in pictures:
            target = Path(keep) / f"{theme.lower().replace(' ', '-')}-{picture.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, target)
