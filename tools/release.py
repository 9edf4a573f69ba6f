"""Build a release into dist/, and check each part in an empty environment: wheel, sdist, and a zip for each editor.

The sdist is made from the files that git knows, the wheel from the sdist, the zips from the wheel: so a file that one of them
lacks is found here. Nothing is downloaded: setuptools is in the environment that `make setup` makes, as torch needs it.

An index shows the README far from the repository: with the address of the released tree as the argument, such as
https://host/owner/acetate/blob/v1.0.0, links and pictures lead there; without one, pictures are left out and links are words.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]

DESCRIPTION = "DESCRIPTION"
"""The README of the packages' metadata."""
BUILD = "import sys; from setuptools import build_meta as backend; getattr(backend, 'build_' + sys.argv[1])(sys.argv[2])"
ALONE = "import acetate.vocabulary, acetate.plugins.hosts"
"""What needs no dependency."""
WITH_DEPENDENCIES = """
import pathlib, sys
from acetate import document, engine
from acetate.engine.files import catalogue
from acetate.plugins import hosts, install
from acetate.server.http import serve
assert all(pathlib.Path(module.__file__).is_relative_to(sys.argv[1]) for module in (document, engine, catalogue, install, serve))
for host in hosts.HOSTS.values():
    install.zip_plugin(host, pathlib.Path(sys.argv[2]))
"""
"""The wheel's own modules and data, with this environment's dependencies; they make the plug-ins' zips."""
IN_AN_EDITOR = """
import importlib, pathlib, sys, types
package = types.ModuleType("acetate")
package.__path__ = [sys.argv[1]]
sys.modules["acetate"] = package
root = pathlib.Path(sys.argv[1])
for path in sorted(root.rglob("*.py")):
    compile(path.read_text(encoding="utf-8"), str(path), "exec")
ours = [*root.glob("vocabulary/**/*.py"), *root.glob("protocol/*.py"), *root.glob("plugins/bridge/*.py")]
for path in ours:
    importlib.import_module(".".join(("acetate", *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__"))
connect = importlib.import_module("acetate.protocol.client.connection").connect
assert connect.__module__ == "acetate.protocol.websockets.sync.client", connect.__module__
"""
"""Import all that both plug-ins share; what needs the editor itself is only compiled."""


def main(address: str = "") -> None:
    """Build, check, list; a step that fails ends it with that step's own words."""
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    tracked = _output(["git", "ls-files", "-z"], cwd=ROOT).strip("\0").split("\0")
    with tempfile.TemporaryDirectory(prefix="acetate-release-") as temporary:
        work = Path(temporary)
        tree = _copied(tracked, work / "tree")
        _describe(tree, address)
        sdist = _build("sdist", tree, dist)
        _check_sdist(sdist, tracked)
        with tarfile.open(sdist) as archive:
            archive.extractall(work, filter="data")
        wheel = _build("wheel", work / sdist.name.removesuffix(".tar.gz"), dist)
        _check_contents(wheel, tracked)
        installed = _check_wheel(wheel, work / "empty")
        _run([sys.executable, "-c", WITH_DEPENDENCIES, str(installed), str(dist)], cwd=work, PYTHONPATH=str(installed))
        for archive_path in sorted(dist.glob("*.zip")):
            _check_zip(archive_path, work / archive_path.stem)
    if _output(["git", "status", "--porcelain"], cwd=ROOT):
        print("Not everything is committed: this is no release yet.")
    for path in sorted(dist.iterdir()):
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.stat().st_size:>11,}  {path.relative_to(ROOT)}")


def _copied(tracked: Iterable[str], tree: Path) -> Path:
    """The repository's own files alone: what lies around must not travel."""
    for name in tracked:
        if (source := ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, tree / name)
    return tree


def _describe(tree: Path, address: str) -> None:
    """Give the copied tree a README for indexes, and let its metadata name that."""
    text = (tree / "README.md").read_text(encoding="utf-8")
    (tree / DESCRIPTION).write_text(description(text, address), encoding="utf-8")
    settings = (tree / "pyproject.toml").read_text(encoding="utf-8")
    readme = f'readme = {{ file = "{DESCRIPTION}", content-type = "text/markdown" }}'
    named = settings.replace('readme = "README.md"', readme, 1)
    if named == settings:
        sys.exit("pyproject.toml names no README.md that could be replaced")
    (tree / "pyproject.toml").write_text(named, encoding="utf-8")


def description(text: str, address: str) -> str:
    """A page whose relative links and pictures work elsewhere: below `address`, else links are words and pictures gone."""

    def link(match: re.Match[str]) -> str:
        picture, words, target = match[1], match[2], match[3]
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        if not address:
            return "" if picture else words
        return f"{picture}[{words}]({address.rstrip('/')}/{target}{'?raw=true' if picture else ''})"

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", link, text)


def _check_sdist(sdist: Path, tracked: Iterable[str]) -> None:
    """All that git knows is in it, so that it can be tested like a checkout."""
    with tarfile.open(sdist) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    if lacking := {name for name in tracked if (ROOT / name).is_file()} - found:
        sys.exit(f"{sdist.name} lacks {sorted(lacking)}")


def _build(kind: str, tree: Path, dist: Path) -> Path:
    before = set(dist.iterdir())
    _run([sys.executable, "-c", BUILD, kind, str(dist)], cwd=tree)
    (built,) = set(dist.iterdir()) - before
    return built


def _check_contents(wheel: Path, tracked: Iterable[str]) -> None:
    """The wheel holds every file of every package, and no other."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        packages = {folder: name for name, folder in tomllib.load(file)["tool"]["setuptools"]["package-dir"].items()}
    wanted = {
        f"{packages[folder].replace('.', '/')}/{rest}"
        for folder, _, rest in (name.partition("/") for name in tracked if (ROOT / name).is_file())
        if folder in packages
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    if wanted != found:
        sys.exit(f"{wheel.name} lacks {sorted(wanted - found)} and has {sorted(found - wanted)} too many")


def _check_wheel(wheel: Path, folder: Path) -> Path:
    """Installed alone, its command answers; returns where it was installed."""
    venv.create(folder, with_pip=False)
    binaries = folder / ("Scripts" if sys.platform == "win32" else "bin")
    python, command = binaries / "python", binaries / "acetate"
    _run(
        [sys.executable, "-m", "pip", "-q", "--python", str(python), "install", "--no-index", "--no-deps", str(wheel)], cwd=folder
    )
    said = _output([str(command), "--version"], cwd=folder)
    if wheel.name.split("-")[1] not in said:
        sys.exit(f"acetate --version of {wheel.name} says {said!r}")
    if _output([str(python), "-m", "acetate", "--version"], cwd=folder) != said:
        sys.exit(f"python -m acetate of {wheel.name} is another program")
    _run([str(command), "--help"], cwd=folder)
    _run([str(python), "-W", "error", "-c", ALONE], cwd=folder)
    return Path(_output([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], cwd=folder).strip())


def _check_zip(path: Path, folder: Path) -> None:
    """Unpacked, it needs nothing but the standard library."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    (package,) = {found.parents[1] for found in folder.rglob("protocol/messages.py")}
    _run([sys.executable, "-I", "-S", "-W", "error", "-c", IN_AN_EDITOR, str(package)], cwd=folder)


def _run(command: list[str], cwd: Path, **environment: str) -> None:
    _output(command, cwd, **environment)


def _output(command: list[str], cwd: Path, **environment: str) -> str:
    """What a command says; its errors end the release. No path of this environment reaches it."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env={**clean, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main(*sys.argv[1:])
