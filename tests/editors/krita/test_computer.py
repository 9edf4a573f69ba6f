"""How a run goes on when Krita itself dies, with a stand-in for the tree: needs no Krita."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from . import conftest
from .conftest import Computer

CLAIMS = ("first", "second", "third")
SEGFAULT = 128 + signal.SIGSEGV


class Tree:
    """Works through the claims; dies at the n-th one of each start as told, and not any more when that is used up."""

    def __init__(self, path: Path, *dying_at: int) -> None:
        self.path, self.dying_at, self.starts = path, list(dying_at), 0

    def run(self, command, *, share, env, timeout, log):
        self.starts += 1
        claims = [one for one in CLAIMS if one not in env.get("DRIVER_SKIP", "").split(",")]
        reached = self.dying_at.pop(0) if self.dying_at else len(claims)
        log.write_text("Fatal Python error: Segmentation fault")
        done = {claim: {"ok": True, "start": self.starts} for claim in claims[:reached]}
        Path(env["DRIVER_OUT"], "results.json").write_text(json.dumps(done))
        return SEGFAULT if reached < len(claims) else 0


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(conftest, "deaths", [])

    def run(*dying_at):
        (tmp_path / "share").mkdir()
        computer = Computer(Tree(tmp_path / "tree", *dying_at), tmp_path / "share")
        (computer.home / ".config/kritarc").write_text("")
        return SimpleNamespace(results=computer.run("anything").results, starts=computer.tree.starts, deaths=conftest.deaths)

    return run


def test_a_fresh_krita_goes_on_with_the_claim_in_which_the_first_one_died(run):
    done = run(1)
    assert [done.results[claim]["start"] for claim in CLAIMS] == [1, 2, 2]
    assert done.results["krita_ends_cleanly"]["ok"]
    assert "SIGSEGV" in done.deaths[0] and "Segmentation fault" in done.deaths[0]


def test_a_second_death_fails(run):
    done = run(1, 1)
    assert done.starts == 2
    assert "third" not in done.results
    assert not done.results["krita_ends_cleanly"]["ok"]


def test_without_a_death_there_is_one_start_and_nothing_to_tell(run):
    done = run()
    assert (done.starts, done.deaths) == (1, [])
