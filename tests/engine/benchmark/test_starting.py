"""Starting times: whole processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate.engine.benchmark.starting import PROGRAMS, measure


def test_a_whole_cold_generation_is_measured_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "acetate generate, cold"
    seconds = measure(1, {"python itself": PROGRAMS["python itself"], name: PROGRAMS[name]})
    assert seconds[name] > seconds["python itself"] > 0
    assert list(tmp_path.iterdir()) == []
