"""The editors: where each keeps plug-ins on every platform and in every package, and what a plug-in's folder looks like there.

Knows folders and names; copies nothing and starts nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Host:
    """One editor and the shape of its plug-ins."""

    name: str
    title: str
    folder: str
    """The plug-in's folder inside the place where the editor looks."""
    start: str = ""
    """The code of the folder's own `__init__.py`, where the editor imports the folder."""


ARCHIVE = "acetate.zip"
"""The zip in the plug-in's folder that our package `acetate` is imported from."""
GOES_ON = f"""import os

__path__.append(os.path.join(__path__[0], "{ARCHIVE}", "acetate"))

from acetate.plugins.krita import plugin as plugin  # noqa: E402
"""
KRITA = Host("krita", "Krita", "acetate", GOES_ON)
"""Krita imports the folder, as it has the plug-ins' parent folder on `sys.path`; the package goes on in the zip."""
GIMP = Host("gimp", "GIMP", "acetate-gimp")
"""GIMP runs the script that is named like the folder, and the script puts the zip on `sys.path`."""
SWITCHED_ON = "Settings > Configure Krita > Python Plugin Manager > Acetate, then restart it"
"""Where a person switches Krita's plug-in on."""
HOSTS = {host.name: host for host in (KRITA, GIMP)}
AFTERWARDS = {
    "krita": (
        "restart Krita if it runs",
        "show the docker: Settings > Dockers > Acetate",
        "open a picture, type what to draw, and press Generate",
    ),
    "gimp": ("restart it if it runs: GIMP looks for plug-ins when it starts", "find Acetate in the menu Filters"),
}
"""What a person does in each editor once the plug-in is in its place and switched on."""


@dataclass(frozen=True)
class EditorPlace:
    """One copy of an editor on this machine."""

    host: Host
    package: str
    """How the editor was installed: `plain` (also AppImage), `Flatpak`, `Snap`, `Windows`, `Windows Store`, `macOS`, `own`."""
    root: Path
    """Krita's resource folder, or GIMP's configuration folder of one version."""
    config: Path | None = None
    """The path of Krita's `kritarc`."""

    @property
    def plugins(self) -> Path:
        """The folder that the plug-in's folder goes into."""
        return self.root / ("pykrita" if self.host is KRITA else "plug-ins")

    def __str__(self) -> str:
        return f"{self.host.title} ({self.package}, {self.root})"


def krita_places() -> list[EditorPlace]:
    """Every resource folder in which a Krita could look; those of packages only where they are installed."""
    return [_with_own_folder(place) for place in _krita_candidates()]


def gimp_places() -> list[EditorPlace]:
    """Every configuration folder of a GIMP 3 that was started at least once."""
    places = []
    seen: set[Path] = set()
    for package, parent in _gimp_parents():
        for folder in sorted(parent.glob("3.*")):
            if folder.is_dir() and folder.resolve() not in seen:
                seen.add(folder.resolve())
                places.append(EditorPlace(GIMP, package, folder))
    if own := os.environ.get("GIMP3_DIRECTORY"):
        folder = Path(own) if os.path.isabs(own) else Path.home() / own
        if folder.resolve() not in seen:
            places.append(EditorPlace(GIMP, "own", folder))
    return places


def places(host: Host) -> list[EditorPlace]:
    """Every place in which a copy of the editor looks for plug-ins."""
    return krita_places() if host is KRITA else gimp_places()


def _krita_candidates() -> Iterator[EditorPlace]:
    home = Path.home()
    if sys.platform == "win32":
        roaming, local = _windows_folders()
        yield EditorPlace(KRITA, "Windows", roaming / "krita", local / "kritarc")
        for store in sorted((local / "Packages").glob("49800Krita_*")):
            cache = store / "LocalCache"
            yield EditorPlace(KRITA, "Windows Store", cache / "Roaming" / "krita", cache / "Local" / "kritarc")
        return
    if sys.platform == "darwin":
        yield EditorPlace(KRITA, "macOS", home / "Library/Application Support/krita", home / "Library/Preferences/kritarc")
        return
    yield EditorPlace(
        KRITA, "plain", _xdg("XDG_DATA_HOME", ".local/share") / "krita", _xdg("XDG_CONFIG_HOME", ".config") / "kritarc"
    )
    flatpak, snap = home / ".var/app/org.kde.krita", home / "snap/krita/current"
    if flatpak.is_dir():
        yield EditorPlace(KRITA, "Flatpak", flatpak / "data/krita", flatpak / "config/kritarc")
    if snap.is_dir():
        yield EditorPlace(KRITA, "Snap", snap / ".local/share/krita", snap / ".config/kritarc")


def _with_own_folder(place: EditorPlace) -> EditorPlace:
    """Krita's setting *Resource Folder* moves everything."""
    own = setting(place.config, "", "ResourceDirectory") if place.config is not None else None
    return EditorPlace(place.host, place.package, Path(own), place.config) if own else place


def _gimp_parents() -> Iterator[tuple[str, Path]]:
    home = Path.home()
    if sys.platform == "win32":
        yield "Windows", _windows_folders()[0] / "GIMP"
    elif sys.platform == "darwin":
        yield "macOS", home / "Library/Application Support/GIMP"
    else:
        yield "plain", _xdg("XDG_CONFIG_HOME", ".config") / "GIMP"
        yield "Flatpak", home / ".config/GIMP"  # shared with the machine's own
        yield "Flatpak", home / ".var/app/org.gimp.GIMP/config/GIMP"
        yield "Snap", home / "snap/gimp/current/.config/GIMP"


def _xdg(variable: str, fallback: str) -> Path:
    chosen = os.environ.get(variable)
    return Path(chosen) if chosen and os.path.isabs(chosen) else Path.home() / fallback


def _windows_folders() -> tuple[Path, Path]:
    """Roaming and local application data."""
    data = Path.home() / "AppData"
    return Path(os.environ.get("APPDATA") or data / "Roaming"), Path(os.environ.get("LOCALAPPDATA") or data / "Local")


# --- kritarc: KDE's ini dialect; values before the first group belong to the group "" --------------------------------


def setting(config: Path, group: str, key: str) -> str | None:
    """A value of kritarc; `None` when it is not set."""
    current = ""
    for line in _lines(config):
        stripped = line.strip()
        if stripped.startswith("["):
            current = stripped[1:-1]
        elif current == group and stripped.partition("=")[0].strip() == key:
            return stripped.partition("=")[2].strip()
    return None


def with_setting(text: str, group: str, key: str, value: str | None) -> str:
    """The text of kritarc with one value set, or taken out when it is `None`; every other line stays as it is."""
    lines, current, header = [], "", None
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            current = stripped[1:-1]
        if current == group and stripped.partition("=")[0].strip() == key:
            continue
        lines.append(line)
        if stripped == f"[{group}]":
            header = len(lines)
    if value is not None:
        if header is None:
            lines += ["", f"[{group}]"] if lines else [f"[{group}]"]
            header = len(lines)
        lines.insert(header, f"{key}={value}")
    return "\n".join(lines) + "\n" if lines else ""


def _lines(config: Path) -> list[str]:
    try:
        return config.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
