"""Put one small fault at a time into a copy of the tree, run the tests nearest to it, and name those that nobody notices.

`python tests/mutants/run.py [--only NAME …]`. Needs the interpreter with the project installed; two run at once.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Literal, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = Path(__file__).with_name("mutants.toml")
PACKAGES = ("vocabulary", "raster", "engine", "document", "protocol", "server", "plugins")
AT_ONCE = 2
SECONDS = 900
"""For the tests of one mutant; what hangs as long is found out, too."""

Verdict = Literal["CAUGHT", "SURVIVED", "ERROR"]


class Mutant(NamedTuple):
    """A fault and the tests that must fail with it."""

    name: str
    place: str
    """The file or the folder that holds `old` exactly once."""
    old: str
    new: str
    tests: tuple[str, ...]

    def file(self, root: Path) -> Path:
        """The one file with the text; raises `ValueError` where there is none or more than one place."""
        place = root / self.place
        paths = sorted(place.rglob("*.py")) if place.is_dir() else [place] if place.is_file() else []
        counts = {path: path.read_text(encoding="utf-8").count(self.old) for path in paths}
        found = {path.relative_to(root).as_posix(): count for path, count in counts.items() if count}
        if sum(found.values()) != 1:
            raise ValueError(
                f"{self.name}: the text must be found once in {self.place}, found in {found or 'no file'}: {self.old!r}"
            )
        return root / next(iter(found))

    def missing_tests(self, root: Path) -> list[str]:
        return [path for path in self.tests if not (root / path).exists()]


def load() -> list[Mutant]:
    with CATALOGUE.open("rb") as file:
        rows = tomllib.load(file)
    return [Mutant(name, row["in"], row["old"], row["new"], tuple(row["tests"])) for name, row in rows.items()]


def copy_of_the_tree(folder: Path) -> Path:
    """The tree without what is built or hidden, and the namespace `acetate` over it."""
    root = folder / "tree"
    unwanted = shutil.ignore_patterns(".*", "__pycache__", "build", "demo", "*.egg-info")
    shutil.copytree(ROOT, root, ignore=unwanted)
    namespace = folder / "names" / "acetate"
    namespace.mkdir(parents=True)
    for package in PACKAGES:
        (namespace / package).symlink_to(root / package)
    return root


def tried(mutant: Mutant, root: Path) -> tuple[Verdict, str]:
    """What the tests say of a copy with this fault; the copy is whole again afterwards."""
    try:
        file = mutant.file(root)
    except ValueError as error:
        return "ERROR", str(error)
    if missing := mutant.missing_tests(root):
        return "ERROR", f"there is no {', '.join(missing)}"
    sound = file.read_text(encoding="utf-8")
    file.write_text(sound.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        verdict, said = outcome(mutant.tests, root)
    finally:
        file.write_text(sound, encoding="utf-8")
    if verdict == "CAUGHT" and "::" in said and outcome([said], root)[0] == "CAUGHT":
        return "ERROR", f"{said} fails without the fault, too"
    return verdict, said


def outcome(tests: Sequence[str], root: Path) -> tuple[Verdict, str]:
    names = str(root.parent / "names")
    # No byte code: it would be taken for that of a file of the same length and second.
    environment = {**os.environ, "PYTHONPATH": names, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", *tests]
    try:
        done = subprocess.run(words, cwd=root, env=environment, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return "CAUGHT", f"hangs for {SECONDS} s"
    if done.returncode == 0:
        return "SURVIVED", ", ".join(tests)
    failed = [line.partition(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("FAILED tests", "ERROR tests"))]
    failed = [line for line in failed if "::" in line]  # a test; a file that cannot be collected has found nothing out
    if done.returncode == 1 and failed:
        return "CAUGHT", failed[0].partition(" ")[2]
    return "ERROR", f"pytest ended with {done.returncode}: {(done.stdout + done.stderr)[-1000:]}"


def run(mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, Verdict]]:
    """Each mutant's verdict, printed when it is known."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        free: SimpleQueue[Path] = SimpleQueue()
        for number in range(AT_ONCE):
            free.put(copy_of_the_tree(Path(folder) / str(number)))

        def one(mutant: Mutant) -> Verdict:
            root, start = free.get(), time.monotonic()
            try:
                verdict, said = tried(mutant, root)
            finally:
                free.put(root)
            print(f"{verdict:8} {mutant.name} in {time.monotonic() - start:.0f} s: {said}", flush=True)
            return verdict

        yield from zip(mutants, pool.map(one, mutants), strict=True)


def chosen(names: Sequence[str]) -> list[Mutant]:
    mutants = load()
    unknown = set(names) - {mutant.name for mutant in mutants}
    if unknown:
        raise SystemExit(f"there is no mutant {', '.join(sorted(unknown))}")
    return [mutant for mutant in mutants if not names or mutant.name in names]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these mutants alone")
    verdicts: Mapping[Mutant, Verdict] = dict(run(chosen(parser.parse_args(words).only)))
    rest = {mutant.name: verdict for mutant, verdict in verdicts.items() if verdict != "CAUGHT"}
    print(f"{len(verdicts) - len(rest)} of {len(verdicts)} caught")
    for name, verdict in rest.items():
        print(f"{verdict}: {name}")
    return 1 if rest else 0


if __name__ == "__main__":
    sys.exit(main())
