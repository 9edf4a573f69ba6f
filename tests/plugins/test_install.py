import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from acetate.plugins import hosts, install
from acetate.plugins.hosts import GIMP, KRITA
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo


def packed(folder):
    """The names in the zip of an installed plug-in."""
    with zipfile.ZipFile(folder / install.ARCHIVE) as archive:
        return archive.namelist()


# --- assembling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "path"), [(KRITA, ""), (GIMP, "acetate-gimp/acetate.zip")], ids=["krita", "gimp"])
def test_an_assembled_plugin_needs_nothing_but_the_standard_library(tmp_path, host, path):
    install.assemble(host, tmp_path)
    if host is KRITA:  # the last line would register with Krita, which is not here
        start = tmp_path / "acetate/__init__.py"
        start.write_text(start.read_text().partition("from acetate.plugins")[0])
    looks = f"""
import sys
sys.path.insert(0, {str(tmp_path / path)!r})
from acetate.protocol import Client
from acetate.protocol.client.connection import connect
from acetate.plugins.bridge import emphasis, form, job, launch, placement, stack, tasks, words
assert connect.__module__ == "acetate.protocol.websockets.sync.client", connect.__module__
assert not [name for name in sys.modules if name.split(".")[0] in ("websockets", "numpy", "PIL", "torch")]
"""
    done = subprocess.run([sys.executable, "-S", "-E", "-W", "error", "-c", looks], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("host", [KRITA, GIMP], ids=["krita", "gimp"])
def test_no_compiled_code_and_no_caches_are_copied(tmp_path, host):
    install.assemble(host, tmp_path)
    suffixes = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert suffixes <= {".py", ".desktop", ".action", ".zip", ".html", ".xml"}
    names = packed(tmp_path / host.folder)
    manual = {".html", ".xml"} if host is GIMP else set()
    assert {PurePosixPath(name).suffix for name in names} <= {".py", ".mo", "", *manual}
    assert not [name for name in names if "__pycache__" in name]


@pytest.mark.parametrize("host", [KRITA, GIMP], ids=["krita", "gimp"])
def test_the_byte_code_of_another_python_is_passed_over(tmp_path, host):
    """The zip holds that of one Python, for its start; every other reads the modules themselves."""
    python = tmp_path / "python3"
    python.symlink_to(sys.executable)
    install.assemble(host, tmp_path / "fresh", python=python)
    archive = tmp_path / "fresh" / host.folder / install.ARCHIVE
    with zipfile.ZipFile(archive) as opened:
        contents = {name: opened.read(name) for name in opened.namelist()}
    compiled = [name for name in contents if name.endswith(".pyc")]
    assert len(compiled) == len([name for name in contents if name.endswith(".py")])
    looks = "from acetate.plugins.bridge import launch; print(launch.PLUGIN)"
    for magic in (None, b"\x01\x02\r\n"):
        with zipfile.ZipFile(archive, "w") as other:
            for name, data in contents.items():
                other.writestr(name, magic + data[4:] if magic and name in compiled else data)
        command = [sys.executable, "-S", "-E", "-c", f"import sys; sys.path.insert(0, {str(archive)!r}); {looks}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout.strip() == str(archive.parent), done.stderr


@pytest.mark.parametrize("host", [KRITA, GIMP], ids=["krita", "gimp"])
def test_a_copy_of_two_levels_of_folders_is_the_whole_plugin(home, gimp, host):
    """Editors copy their settings to a new version's folder, and not all of what lies deep."""
    gimp()
    (place,) = install.install(host)
    files = [path.relative_to(place.root) for path in place.root.rglob("*") if path.is_file()]
    needed = [path for path in files if "help" not in path.parts]  # GIMP wants the pages of F1 in a folder for each language
    assert needed and max(len(path.parts) for path in needed) <= 3, "two folders and the file"
    assert max(len(path.parts) for path in files) <= 5, "what lies deeper than four folders is not copied at all"


@pytest.mark.parametrize("host", [KRITA, GIMP], ids=["krita", "gimp"])
@pytest.mark.parametrize("link", [False, True], ids=["copied", "linked"])
def test_every_language_is_compiled_and_found_where_the_plugin_looks(tmp_path, host, link):
    install.assemble(host, tmp_path, link=link)
    languages = sorted(path.stem for path in (Path(install.__file__).parent / "languages").glob("*.po"))
    asks = f"""
import sys
sys.path.insert(0, {str(tmp_path / host.folder / install.ARCHIVE)!r})
from acetate.plugins.bridge.translations import _compiled
print(*[name for name in {languages} if _compiled(name)])
"""
    done = subprocess.run([sys.executable, "-S", "-E", "-c", asks], capture_output=True, text=True, cwd=tmp_path)
    assert languages and done.stdout.split() == languages, done.stderr


def test_the_licence_of_websockets_travels_with_it(tmp_path):
    install.assemble(KRITA, tmp_path)
    with zipfile.ZipFile(tmp_path / "acetate/acetate.zip") as archive:
        assert b"Redistribution" in archive.read("acetate/protocol/websockets/LICENSE")


def test_gimps_script_is_executable_and_called_like_its_folder(tmp_path):
    install.assemble(GIMP, tmp_path)
    script = tmp_path / "acetate-gimp/acetate-gimp.py"
    assert os.access(script, os.X_OK)
    assert script.read_bytes().startswith(b"#!/usr/bin/env python3\n")


def test_krita_finds_one_description_of_the_actions(tmp_path):
    install.assemble(KRITA, tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.action")] == ["acetate.action"]


# --- Krita -----------------------------------------------------------------------------------------------------------


def test_krita_gets_package_description_and_actions(home):
    (place,) = install.install(KRITA)
    data = home / ".local/share/krita"
    assert place.plugins == data / "pykrita"
    assert "acetate/plugins/krita/docker.py" in packed(data / "pykrita/acetate")
    assert "X-KDE-Library=acetate\n" in (data / "pykrita/acetate.desktop").read_text()
    assert (data / "actions/acetate.action").is_file()
    assert "X-Krita-Manual=manual.html\n" in (data / "pykrita/acetate.desktop").read_text()
    assert "Acetate in Krita" in (data / "pykrita/acetate/manual.html").read_text(encoding="utf-8")
    assert not list((data / "pykrita").glob(".acetate-*"))


def test_the_command_that_starts_the_server_is_recorded(home):
    install.install(KRITA)
    record = home / ".local/share/krita/pykrita/acetate/launch.json"
    assert json.loads(record.read_text())["command"] == [sys.executable, "-m", "acetate.server", "serve", "--until-idle"]


def test_every_packaging_of_krita_is_served(home):
    (home / ".var/app/org.kde.krita").mkdir(parents=True)
    (home / "snap/krita/current").mkdir(parents=True)
    assert [place.package for place in install.install(KRITA)] == ["plain", "Flatpak", "Snap"]
    assert (home / ".var/app/org.kde.krita/data/krita/pykrita/acetate").is_dir()


def test_kritas_own_resource_folder_is_followed(home):
    (home / ".config").mkdir()
    (home / ".config/kritarc").write_text(f"ResourceDirectory={home}/elsewhere\n\n[python]\nenable_x=true\n")
    (place,) = install.install(KRITA, enable=True)
    assert (home / "elsewhere/pykrita/acetate").is_dir()
    assert hosts.setting(place.config, "python", "enable_acetate") == "true"
    assert hosts.setting(place.config, "python", "enable_x") == "true"


def test_installing_again_replaces_what_was_there(home):
    install.install(KRITA)
    stale = home / ".local/share/krita/pykrita/acetate/stale.py"
    stale.write_text("")
    install.install(KRITA)
    assert not stale.exists()


def test_uninstalling_leaves_nothing_of_ours_and_everything_else(home):
    install.install(KRITA, enable=True)
    other = home / ".local/share/krita/pykrita/other.desktop"
    other.write_text("x")
    assert len(install.uninstall(KRITA)) == 1
    left = [path for path in home.rglob("*") if path.is_file()]
    assert sorted(path.name for path in left) == ["kritarc", "other.desktop"]
    assert "acetate" not in (home / ".config/kritarc").read_text()
    assert install.uninstall(KRITA) == []


def test_linking_follows_the_checkout(home):
    install.install(KRITA, link=True)
    package = home / ".local/share/krita/pykrita/acetate/acetate.zip/acetate"
    assert (package / "plugins/krita").is_symlink()
    assert (package / "protocol/home.py").is_symlink()
    assert (package / "protocol/websockets/sync/client.py").is_file()
    docker = (package / "plugins/krita/docker.py").resolve()
    install.install(KRITA)
    assert "acetate/plugins/krita/docker.py" in packed(home / ".local/share/krita/pykrita/acetate")
    assert docker.is_file(), "the checkout's own files survive the replacement"


def test_a_folder_that_cannot_be_written_is_named(home):
    (home / ".local").write_text("a file in the way")
    with pytest.raises(install.InstallError, match="pykrita cannot be created"):
        install.install(KRITA)


# --- GIMP ------------------------------------------------------------------------------------------------------------


def test_every_gimp_3_that_was_started_gets_the_plugin(home, gimp):
    for version in ("2.10", "3.0", "3.2"):
        gimp(version)
    assert [place.root.name for place in install.install(GIMP)] == ["3.0", "3.2"]
    assert (home / ".config/GIMP/3.2/plug-ins/acetate-gimp/acetate-gimp.py").is_file()


@pytest.mark.parametrize(
    ("package", "platform", "folder"),
    [
        ("plain", "linux", ".config/GIMP"),
        ("Flatpak", "linux", ".var/app/org.gimp.GIMP/config/GIMP"),
        ("Snap", "linux", "snap/gimp/current/.config/GIMP"),
        ("Windows", "win32", "AppData/Roaming/GIMP"),
        ("macOS", "darwin", "Library/Application Support/GIMP"),
    ],
)
def test_every_packaging_of_gimp_is_served(home, monkeypatch, package, platform, folder):
    (home / folder / "3.0").mkdir(parents=True)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("APPDATA", raising=False)
    (place,) = install.install(GIMP)
    assert (place.package, place.root) == (package, home / folder / "3.0")
    assert (place.root / "plug-ins/acetate-gimp/acetate-gimp.py").is_file()


def test_a_folder_that_two_packagings_share_gets_the_plugin_once(home, gimp, monkeypatch):
    """Flatpak's GIMP uses the machine's own folder, which XDG_CONFIG_HOME may have moved."""
    gimp()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "elsewhere"))
    (home / "elsewhere/GIMP/3.0").mkdir(parents=True)
    assert [place.package for place in install.install(GIMP)] == ["plain", "Flatpak"]
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    assert [place.package for place in install.install(GIMP)] == ["plain"]


def test_without_any_gimp_the_error_says_what_to_do(home, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(install.InstallError, match="install GIMP 3 or start it once"):
        install.install(GIMP)


def test_a_gimp_that_was_never_started_makes_its_folder_itself(home, monkeypatch):
    """Its older settings are taken over by GIMP, only into a folder that is not there yet."""
    program = home / "bin/gimp-console-3.0"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$*" = "--new-instance --no-interface --no-data --no-fonts --quit" ] || exit 2\n'
                       '/bin/mkdir -p "$HOME/.config/GIMP/3.0/plug-ins"\n')  # fmt: skip
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    (place,) = install.install(GIMP)
    assert place.root == home / ".config/GIMP/3.0"
    assert (place.plugins / "acetate-gimp/acetate-gimp.py").is_file()


def test_gimps_own_folder_variable_is_followed(home, monkeypatch):
    monkeypatch.setenv("GIMP3_DIRECTORY", str(home / "my-gimp"))
    (place,) = install.install(GIMP)
    assert place.root == home / "my-gimp"


STUB_OF_GI = """
class Kind(type):
    def __getattr__(cls, name):
        return Anything

class Anything(metaclass=Kind):
    __gtype__ = None
    def __init__(self, *_):
        print("GIMP was told")

def __getattr__(name):
    return Anything
"""


@pytest.mark.parametrize("link", [False, True], ids=["copied", "linked"])
def test_the_script_finds_its_package_whether_copied_or_linked(home, gimp, link):
    gimp()
    (place,) = install.install(GIMP, link=link)
    stub = home / "stub/gi"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text("def require_version(*_): pass\n")
    (stub / "repository.py").write_text(STUB_OF_GI)
    script = place.plugins / "acetate-gimp/acetate-gimp.py"
    command = [sys.executable, "-S", "-B", str(script)]  # without the packages of this environment
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(stub.parent)})
    assert done.stdout == "GIMP was told\n", done.stderr


# --- zip -------------------------------------------------------------------------------------------------------------


def test_the_zip_has_directory_entries_and_no_recorded_command(tmp_path):
    path = install.zip_plugin(KRITA, tmp_path)
    names = zipfile.ZipFile(path).namelist()
    assert {"acetate/", "acetate/__init__.py", "acetate.desktop", "acetate.action"} <= set(names)
    assert not [name for name in names if name.endswith("launch.json")]
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_kritas_list_of_plugins_describes_ours_in_every_language_that_has_a_translation(tmp_path, monkeypatch):
    english = "Transparent layers, generated inside the open picture"
    german = Catalog(locale="de")
    german.add(english, "Transparente Ebenen")
    write_mo(full := io.BytesIO(), german)
    write_mo(empty := io.BytesIO(), Catalog(locale="fr"))
    monkeypatch.setattr(install, "_compiled", lambda path: (full if path.stem == "de" else empty).getvalue())
    text = zipfile.ZipFile(install.zip_plugin(KRITA, tmp_path)).read("acetate.desktop").decode()
    comments = [line for line in text.splitlines() if line.startswith("Comment")]
    assert comments == [f"Comment={english}", "Comment[de]=Transparente Ebenen"]


def test_the_zip_keeps_gimps_script_executable(tmp_path):
    path = install.zip_plugin(GIMP, tmp_path)
    script = zipfile.ZipFile(path).getinfo("acetate-gimp/acetate-gimp.py")
    assert script.external_attr >> 16 & 0o777 == 0o755
