"""What `acetate doctor` says about the editors: whether each will see the plug-in, and what to do if not.

Looks at files only; starts no editor.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .bridge.launch import recorded
from .gimp_folder import consoles
from .hosts import ARCHIVE, GIMP, HOSTS, KRITA, SWITCHED_ON, EditorPlace, Host, places, setting
from .install import LAUNCH, assemble, beside_package, own_files


@dataclass(frozen=True)
class Finding:
    """One line of the report about the editors."""

    subject: str
    good: bool
    text: str
    remedy: str = ""


def findings() -> list[Finding]:
    """The findings about all editors, one for each copy and matter."""
    return [finding for host in HOSTS.values() for finding in _of_host(host)]


def _of_host(host: Host) -> Iterator[Finding]:
    found = [place for place in places(host) if place.root.is_dir()]
    if not found and host is GIMP and consoles():
        yield Finding(host.title, False, "was never started, and has no plug-in yet", "acetate plugin install gimp")
    elif not found:
        yield Finding(host.title, True, "not found on this machine")
    for place in found:
        yield from _of_place(place)


def _of_place(place: EditorPlace) -> Iterator[Finding]:
    subject, again = str(place), f"acetate plugin install {place.host.name}"
    folder = place.plugins / place.host.folder
    if not folder.is_dir():
        yield Finding(subject, False, "the plug-in is not installed", again)
        return
    found = [Finding(subject, False, text, again) for text in _amiss(place, folder)]
    if place.host is KRITA:
        found += _of_krita(place, subject)
    yield from found or [Finding(subject, True, "ready")]


def _amiss(place: EditorPlace, folder: Path) -> Iterator[str]:
    """What installing again would fix."""
    if lost := _lost(place):
        yield f"the plug-in is incomplete: {lost[0]} is missing"
    elif not _is_current(place):
        yield "the plug-in is from another version of Acetate"
    command = recorded(folder / LAUNCH)
    if command is None:
        yield "the plug-in does not know how to start the server"
    elif shutil.which(command[0]) is None:
        yield f"the plug-in would start the server with {command[0]}, which does not exist"
    script = folder / f"{place.host.folder}.py"
    if place.host is GIMP and script.is_symlink():
        yield f"{script} is a link, so Python does not find the package next to it"
    elif place.host is GIMP and script.exists() and os.name != "nt" and not os.access(script, os.X_OK):
        yield f"{script} is not executable, so GIMP ignores it"


def _lost(place: EditorPlace) -> list[Path]:
    """The files of an installation that are not there, as after a copy that left some out."""
    wanted = [place.plugins / place.host.folder / name for name in own_files(place.host)]
    return [path for path in (*wanted, *beside_package(place).values()) if not path.exists()]


def _of_krita(place: EditorPlace, subject: str) -> Iterator[Finding]:
    if place.config is None or setting(place.config, "python", "enable_acetate") != "true":
        remedy = f"in Krita {SWITCHED_ON}; or acetate plugin install krita --enable"
        yield Finding(subject, False, "the plug-in is installed but not switched on", remedy)
    elif place.package == "plain" and _lacks_pyqt():
        remedy = "sudo apt install python3-pyqt5 (or the package of that name on your system)"
        yield Finding(subject, False, "Krita cannot load any Python plug-in: PyQt is not installed", remedy)


def _is_current(place: EditorPlace) -> bool:
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary) / "fresh"
        assemble(place.host, fresh)
        ours = {fresh / place.host.folder / name: place.plugins / place.host.folder / name for name in own_files(place.host)}
        ours |= {fresh / name: file for name, file in beside_package(place).items()}
        return all(_same(one, there) for one, there in ours.items())


def _same(fresh: Path, there: Path) -> bool:
    """Whether both are the same file, or zips of the same files: how well a zip is packed does not matter."""
    if fresh.name != ARCHIVE:
        return filecmp.cmp(fresh, there, shallow=False)
    if there.is_dir():  # linked for development
        return True
    try:
        return _contents(fresh) == _contents(there)
    except (OSError, zipfile.BadZipFile):
        return False


def _contents(archive: Path) -> dict[str, int]:
    """What stands for the contents of each file but byte code, which belongs to one Python."""
    with zipfile.ZipFile(archive) as opened:
        return {entry.filename: entry.CRC for entry in opened.infolist() if not entry.filename.endswith(".pyc")}


def _lacks_pyqt() -> bool:
    """Whether a Krita from the distribution's packages has no Qt binding: Debian only recommends it."""
    python = Path("/usr/bin/python3")
    if shutil.which("krita") != "/usr/bin/krita" or not python.exists():
        return False
    looked = "import importlib.util as u, sys; sys.exit(not (u.find_spec('PyQt5') or u.find_spec('PyQt6')))"
    return subprocess.run([str(python), "-c", looked], capture_output=True, check=False).returncode != 0
