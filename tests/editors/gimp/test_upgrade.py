"""A plug-in that was installed for one version of GIMP works in the next, which copies it to a folder of its own.

Needs the tree of a later GIMP beside the usual one: `make test-newer` builds what is missing; else this is skipped where
`tests/editors/build_tree.sh forky` was never run.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from acetate.plugins.hosts import GIMP
from acetate.plugins.install import install

from ..conftest import Tree, built

SECONDS = 300
SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"
"""The search path without any other GIMP of this machine that a person may have installed under /usr/local."""
KNOWN = "print('acetate is', 'here' if Gimp.get_pdb().lookup_procedure('acetate-history') else 'missing')"
"""What a script in GIMP finds of us."""


@pytest.fixture(scope="module")
def trees(tree: Tree) -> dict[str, Tree]:
    """The trees by the version of their GIMP."""
    later = tree.path.parent / "forky"
    if tree.path == later:
        return {"3.0": built("trixie"), "3.2": tree}
    if not (later / ".stamp").exists():
        pytest.skip("tests/editors/build_tree.sh forky makes the tree of GIMP 3.2")
    return {"3.0": tree, "3.2": Tree(later)}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("XDG_CONFIG_HOME", "GIMP3_DIRECTORY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", SYSTEM)
    return tmp_path


def start(tree: Tree, home: Path) -> str:
    """Start GIMP without a window and ask it for a procedure of ours; returns what it printed."""
    log = home / "gimp.log"
    console = ["gimp-console-3", "-n", "-i", "-d", "-f", "--batch-interpreter=python-fu-eval", "-b", KNOWN, "--quit"]
    code = tree.run(console, share=home, env={"HOME": str(home), "PYTHONUNBUFFERED": "1"}, timeout=SECONDS, log=log)
    said = log.read_text(errors="replace")
    assert code == 0, said
    return said


def assert_works(tree: Tree, home: Path) -> None:
    said = start(tree, home)
    assert "acetate is here" in said and "ImportError" not in said, said[-3000:]


def test_what_was_installed_for_the_older_gimp_works_in_the_newer_and_still_in_the_older(
    trees: dict[str, Tree], home: Path
) -> None:
    start(trees["3.0"], home)
    (place,) = install(GIMP)
    assert place.root.name == "3.0"
    assert_works(trees["3.2"], home)
    assert (home / ".config/GIMP/3.2/plug-ins/acetate-gimp/acetate-gimp.py").is_file(), "GIMP has copied it"
    assert_works(trees["3.0"], home)


def test_what_was_installed_for_the_newer_gimp_is_installed_for_an_older_one_that_comes_later(
    trees: dict[str, Tree], home: Path
) -> None:
    start(trees["3.2"], home)
    install(GIMP)
    start(trees["3.0"], home)
    assert [place.root.name for place in install(GIMP)] == ["3.0", "3.2"]
    for tree in trees.values():
        assert_works(tree, home)


def test_a_copy_of_two_levels_of_folders_works(trees: dict[str, Tree], home: Path) -> None:
    start(trees["3.0"], home)
    install(GIMP)
    shutil.move(home / ".config/GIMP/3.0", home / "old")
    new = home / ".config/GIMP/3.0"
    for file in [*(home / "old").glob("*"), *(home / "old").glob("*/*"), *(home / "old").glob("*/*/*")]:
        if file.is_file():
            target = new / file.relative_to(home / "old")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    assert_works(trees["3.0"], home)


def test_a_gimp_that_was_never_started_can_be_prepared(
    trees: dict[str, Tree], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that starts GIMP inside its tree stands for the one that a person has installed."""
    program = home / "bin/gimp-console-3.0"
    program.parent.mkdir()
    enter = Path(__file__).parents[1] / "enter_tree.sh"
    inside = f"env HOME={home} gimp-console-3"
    program.write_text(f'#!/bin/sh\nexec {enter} {trees["3.0"].path} {home} {inside} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{SYSTEM}")
    (place,) = install(GIMP)
    assert place.root == home / ".config/GIMP/3.0"
    assert_works(trees["3.0"], home)
