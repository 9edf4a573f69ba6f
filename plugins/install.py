"""Put the plug-ins together and into the editors: `acetate plugin install|uninstall|zip|link krita|gimp|all`.

Knows files and folders; does not know what the plug-ins do. Nothing is downloaded: the plug-in's package is this project's
`protocol` and `plugins`, and the pure-Python part of the installed `websockets` library inside `protocol`. It travels as one zip,
from which Python imports: editors copy their settings to a new version's folder, and GIMP leaves out what lies five folders deep.
"""

from __future__ import annotations

import contextlib
import functools
import gettext
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import websockets
from acetate import plugins, protocol, vocabulary

from . import gimp_folder
from .bridge.launch import UNTIL_IDLE
from .hosts import ARCHIVE, GIMP, KRITA, EditorPlace, Host, places, with_setting

LAUNCH = "launch.json"
"""The file in the plug-in's folder with the command that starts the server, recorded at install time."""
NOT_COPIED = shutil.ignore_patterns(
    "__pycache__", "*.pyc", "py.typed", "*.desktop", "*.action", "acetate.html", GIMP.folder + ".py"
)
"""What the package leaves out, even what is installed next to it: Krita would find two of an `.action` that it reads."""
SYSTEM_PYTHON = Path("/usr/bin/python3")
"""What a distribution's Krita and GIMP run; those of other packages bring their own."""
COMPILE_SECONDS = 60.0
NOT_FOR_CLIENTS = shutil.ignore_patterns(
    "__pycache__", "asyncio", "legacy", "trio", "cli.py", "__main__.py", "py.typed", "*.so", "*.pyd", "*.c", "*.pyi"
)
"""What a plug-in's blocking client does not need of `websockets`. The C part only speeds up masking; there is a Python one."""


class InstallError(Exception):
    """The plug-in cannot be installed; the text says why and what to do."""


def server_command() -> list[str]:
    """How an editor starts the server of this installation, with absolute paths."""
    return [sys.executable, "-m", "acetate.server", "serve", UNTIL_IDLE]


# --- putting a plug-in together --------------------------------------------------------------------------------------


def assemble(
    host: Host, destination: Path, *, launch: Sequence[str] | None = None, link: bool = False, python: Path | None = None
) -> None:
    """Fill the folder `destination` with what the editor finds in its plug-in folder.

    With `link` a folder stands where the zip would be, and our own files in it are links into this checkout, for development;
    where links are refused they are copied. GIMP's script is always a copy: Python looks for the zip next to the file that a link
    leads to. `python` is the editor's, if it is known, which then need not compile the zip at every start.
    """
    folder = destination / host.folder
    folder.mkdir(parents=True)
    if link:
        _fill(host, folder / ARCHIVE / "acetate", _link)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            _fill(host, Path(temporary) / "acetate", _copy)
            if python is not None:
                _compile(Path(temporary), python)
            _pack(Path(temporary), folder / ARCHIVE)
    if host.start:
        (folder / "__init__.py").write_text(f'"""Acetate, as {host.title} loads it."""\n\n{host.start}', encoding="utf-8")
    if launch is not None:
        (folder / LAUNCH).write_text(json.dumps({"command": list(launch)}) + "\n", encoding="utf-8")
    for source, target in _beside(host):
        script = target.suffix == ".py"
        (_link if link and not script else _copy)(_folder_of(plugins) / host.name / source, destination / target)
        if target.suffix == ".desktop" and not link:
            _translate(destination / target)
        if script:
            (destination / target).chmod(0o755)


def _fill(host: Host, package: Path, place: Callable[[Path, Path], None]) -> None:
    """Make the plug-in's package `acetate` in the folder `package`, each of our files by `place(source, target)`."""
    (package / "plugins").mkdir(parents=True)
    (package / "__init__.py").write_text(f'"""Acetate, as {host.title} loads it."""\n', encoding="utf-8")
    ours = _folder_of(plugins)
    place(ours / "__init__.py", package / "plugins" / "__init__.py")
    place(ours / "bridge", package / "plugins" / "bridge")
    place(ours / host.name, package / "plugins" / host.name)
    place(_folder_of(vocabulary), package / "vocabulary")
    _compile_languages(ours / "languages", package / "plugins" / "languages")
    (package / "protocol").mkdir()
    for file in sorted(_folder_of(protocol).glob("*.py")):
        place(file, package / "protocol" / file.name)
    place(_folder_of(protocol) / "client", package / "protocol" / "client")
    _copy_websockets(package / "protocol" / "websockets")


def _compile_languages(source: Path, target: Path) -> None:
    target.mkdir()
    for path in sorted(source.glob("*.po")):
        (target / path.with_suffix(".mo").name).write_bytes(_compiled(path))


def _translate(desktop: Path) -> None:
    """Add what the editor's list of plug-ins says about ours in every language that has a translation of it."""
    text = desktop.read_text(encoding="utf-8")
    said = text.partition("\nComment=")[2].partition("\n")[0]
    for path in sorted((_folder_of(plugins) / "languages").glob("*.po")):
        translation = gettext.GNUTranslations(io.BytesIO(_compiled(path))).gettext(said)
        text += f"Comment[{path.stem}]={translation}\n" if translation != said else ""
    desktop.write_text(text, encoding="utf-8")


@functools.cache
def _compiled(path: Path) -> bytes:
    """A catalogue as gettext reads it."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with path.open("rb") as texts:
        write_mo(compiled, read_po(texts, locale=path.stem))
    return compiled.getvalue()


def _compile(folder: Path, python: Path) -> None:
    """Put byte code beside every module, for this Python and none other: others compile the modules, as all do without it."""
    options = ("-q", "-b", "-s", str(folder), "--invalidation-mode", "unchecked-hash")
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        command = [str(python), "-I", "-m", "compileall", *options, str(folder)]
        subprocess.run(command, capture_output=True, timeout=COMPILE_SECONDS, check=False)


def _beside(host: Host) -> Iterator[tuple[str, Path]]:
    """Files that the editor wants outside the package: their place in `plugins/<host>/` and in the destination."""
    if host is KRITA:
        yield "acetate.desktop", Path("acetate.desktop")
        yield "acetate.action", Path("acetate.action")
        yield "acetate.html", Path(host.folder) / "manual.html"  # Krita shows it beside the switch; it reads no zip
    else:
        yield f"{host.folder}.py", Path(host.folder) / f"{host.folder}.py"


def _folder_of(module: object) -> Path:
    return Path(next(iter(module.__path__)))  # type: ignore[attr-defined]


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=NOT_COPIED)
    else:
        shutil.copyfile(source, target)


def _link(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source, target_is_directory=source.is_dir())
    except OSError:  # Windows without developer mode
        _copy(source, target)


def _copy_websockets(target: Path) -> None:
    shutil.copytree(Path(websockets.__file__).parent, target, ignore=NOT_FOR_CLIENTS)
    for file in metadata.files("websockets") or ():
        if file.name.upper().startswith("LICEN"):
            shutil.copyfile(str(file.locate()), target / "LICENSE")


# --- into the editors ------------------------------------------------------------------------------------------------


def install(host: Host, *, link: bool = False, enable: bool = False) -> list[EditorPlace]:
    """Put the plug-in into every copy of the editor, replacing an older one; return where. Raises `InstallError`."""
    if not (where := present(host)):
        raise InstallError(f"no {host.title} was found; install {host.title} 3 or start it once, and install again")
    for place in where:
        with tempfile.TemporaryDirectory(dir=_made(place.plugins), prefix=".acetate-") as temporary:
            fresh = Path(temporary) / "fresh"
            own = SYSTEM_PYTHON if place.package == "plain" and SYSTEM_PYTHON.exists() else None
            assemble(host, fresh, launch=server_command(), link=link, python=own)
            for name, target in beside_package(place).items():
                _made(target.parent)
                _replace(fresh / name, target)
            _replace(fresh / host.folder, place.plugins / host.folder)
        _forget(place)
        if enable and place.config is not None:
            _set_enabled(place.config, "true")
    return where


def present(host: Host) -> list[EditorPlace]:
    """The places of the editor's copies; a GIMP that nobody has started yet is started without a window, to make its folder."""
    if host is GIMP and not places(host):
        gimp_folder.made_by_gimp()
    return places(host)


def uninstall(host: Host) -> list[EditorPlace]:
    """Take the plug-in out of every copy of the editor; return where it was."""
    removed = []
    for place in places(host):
        ours = [place.plugins / host.folder, *beside_package(place).values()]
        there = [path for path in ours if path.exists() or path.is_symlink()]
        for path in there:
            _remove(path)
        if there:
            removed.append(place)
            _forget(place)
            if place.config is not None and place.config.exists():
                _set_enabled(place.config, None)
    return removed


def own_files(host: Host) -> tuple[str, ...]:
    """What has to be in the plug-in's folder, apart from the recorded command."""
    return (ARCHIVE, "__init__.py" if host.start else f"{host.folder}.py")


def beside_package(place: EditorPlace) -> dict[str, Path]:
    """Where the editor wants the files that are assembled next to the plug-in's folder, by their names."""
    if place.host is not KRITA:
        return {}
    return {"acetate.action": place.root / "actions" / "acetate.action", "acetate.desktop": place.plugins / "acetate.desktop"}


def zip_plugin(host: Host, destination: Path) -> Path:
    """Write `acetate-<host>-<version>.zip` into the folder `destination`; return its path.

    Krita's *Import Python Plugin from File* looks for the plug-in's directory entry, so every folder gets one.
    """
    target = destination / f"acetate-{host.name}-{metadata.version('acetate')}.zip"
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary) / "fresh"
        assemble(host, fresh)
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            _pack(fresh, unfinished)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    return target


def _pack(folder: Path, target: Path) -> None:
    """Write everything in the folder into the zip `target`, under its place in the folder."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InstallError(f"{folder} cannot be created: {error.strerror}") from None
    return folder


def _replace(fresh: Path, target: Path) -> None:
    """Rename into place; a folder that is in the way goes first."""
    try:
        if target.is_dir() or target.is_symlink():
            _remove(target)
        fresh.replace(target)
    except OSError as error:
        raise InstallError(f"{target} cannot be replaced: {error.strerror}; close the editor and install again") from None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _forget(place: EditorPlace) -> None:
    if place.host is GIMP:
        gimp_folder.forget(place.root, place.host.folder)


def _set_enabled(config: Path, value: str | None) -> None:
    """Switch the plug-in on in kritarc, or take the switch out. Krita must not run: it writes the file when it ends."""
    config = config.resolve()  # people keep such files elsewhere and link to them
    text = config.read_text(encoding="utf-8") if config.exists() else ""
    _made(config.parent)
    unfinished = config.with_name(f".{config.name}.{os.getpid()}")
    unfinished.touch()
    if config.exists():
        shutil.copymode(config, unfinished)
    unfinished.write_text(with_setting(text, "python", "enable_acetate", value), encoding="utf-8")
    unfinished.replace(config)
