"""What `acetate doctor` says about the editors, from nothing to ready and back."""

import zipfile

import pytest
from acetate.plugins import install, report
from acetate.plugins.hosts import GIMP, KRITA


def changed(archive):
    """Make the zip that of another version: one more file."""
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr("acetate/old.py", "")


def finding(title):
    return [one for one in report.findings() if one.subject.startswith(title)]


def test_the_report_follows_krita_from_nothing_to_ready(home, monkeypatch):
    monkeypatch.setattr(report, "_lacks_pyqt", lambda: False)
    assert [one.text for one in finding("Krita")] == ["not found on this machine"]
    (home / ".local/share/krita").mkdir(parents=True)
    (missing,) = finding("Krita")
    assert (missing.good, missing.remedy) == (False, "acetate plugin install krita")
    install.install(KRITA)
    (off,) = finding("Krita")
    assert "not switched on" in off.text and "--enable" in off.remedy
    install.install(KRITA, enable=True)
    (ready,) = finding("Krita")
    assert (ready.good, ready.text) == (True, "ready")


def test_the_report_notices_an_old_plugin_and_a_lost_server(home, monkeypatch):
    monkeypatch.setattr(report, "_lacks_pyqt", lambda: False)
    install.install(KRITA, enable=True)
    package = home / ".local/share/krita/pykrita/acetate"
    changed(package / "acetate.zip")
    (package / "launch.json").write_text('{"command": ["/nowhere/python"]}')
    texts = [one.text for one in finding("Krita")]
    assert "the plug-in is from another version of Acetate" in texts
    assert any("/nowhere/python, which does not exist" in text for text in texts)


@pytest.mark.parametrize("file", ["pykrita/acetate.desktop", "actions/acetate.action"])
def test_the_report_notices_what_is_missing_or_old_beside_kritas_package(home, monkeypatch, file):
    monkeypatch.setattr(report, "_lacks_pyqt", lambda: False)
    install.install(KRITA, enable=True)
    path = home / ".local/share/krita" / file
    path.write_text("old")
    (old,) = finding("Krita")
    path.unlink()
    (missing,) = finding("Krita")
    assert "another version" in old.text and missing.text == f"the plug-in is incomplete: {path} is missing"
    assert not missing.good and missing.remedy == "acetate plugin install krita"


def test_the_report_notices_a_script_that_gimp_would_ignore(home, gimp):
    folder = gimp()
    install.install(GIMP)
    (ready,) = finding("GIMP")
    assert ready.good
    (folder / "plug-ins/acetate-gimp/acetate-gimp.py").chmod(0o644)
    (ignored,) = finding("GIMP")
    assert "not executable" in ignored.text and not ignored.good


def test_the_report_notices_a_script_that_is_a_link(home, gimp):
    script = gimp() / "plug-ins/acetate-gimp/acetate-gimp.py"
    install.install(GIMP)
    script.rename(home / "elsewhere.py")
    script.symlink_to(home / "elsewhere.py")
    (linked,) = finding("GIMP")
    assert "is a link" in linked.text and linked.remedy == "acetate plugin install gimp"


def test_the_report_calls_nothing_ready_that_it_finds_fault_with(home, gimp, monkeypatch):
    monkeypatch.setattr(report, "_lacks_pyqt", lambda: False)
    gimp()
    install.install(GIMP)
    install.install(KRITA, enable=True)
    for package in (home / ".config/GIMP/3.0/plug-ins/acetate-gimp", home / ".local/share/krita/pykrita/acetate"):
        changed(package / "acetate.zip")
    assert [one.text for one in report.findings()] == ["the plug-in is from another version of Acetate"] * 2


def test_the_report_notices_that_the_command_of_the_server_was_never_recorded(home, gimp):
    gimp()
    install.install(GIMP)
    (home / ".config/GIMP/3.0/plug-ins/acetate-gimp/launch.json").unlink()
    gimp("3.2")
    lost, absent = finding("GIMP")
    assert not lost.good and "start the server" in lost.text
    assert not absent.good and "not installed" in absent.text and "3.2" in absent.subject


def test_the_report_names_a_missing_pyqt_only_where_krita_is_the_distributions(home, monkeypatch):
    monkeypatch.setattr(report, "_lacks_pyqt", lambda: True)
    (home / ".var/app/org.kde.krita").mkdir(parents=True)
    install.install(KRITA, enable=True)
    (home / ".var/app/org.kde.krita/data/krita").mkdir(parents=True, exist_ok=True)
    assert {("Flatpak" in one.subject, one.good) for one in finding("Krita")} == {(False, False), (True, True)}


def test_caches_beside_the_plugins_files_make_it_no_other_version(home, gimp):
    folder = gimp() / "plug-ins/acetate-gimp"
    install.install(GIMP)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/x.pyc").write_bytes(b"x")
    assert [one.text for one in finding("GIMP")] == ["ready"]


def test_a_zip_packed_by_another_python_is_the_same_version(home, gimp):
    archive = gimp() / "plug-ins/acetate-gimp/acetate.zip"
    install.install(GIMP)
    with zipfile.ZipFile(archive) as packed:
        contents = {entry: packed.read(entry) for entry in packed.infolist()}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for entry, data in contents.items():
            packed.writestr(entry.filename, data)
    assert [one.text for one in finding("GIMP")] == ["ready"]


def test_what_an_incomplete_copy_left_out_is_named(home, gimp):
    archive = gimp() / "plug-ins/acetate-gimp/acetate.zip"
    install.install(GIMP)
    archive.unlink()
    (incomplete,) = finding("GIMP")
    assert incomplete.text == f"the plug-in is incomplete: {archive} is missing"
    archive.write_bytes(b"half of a z")
    assert [one.text for one in finding("GIMP")] == ["the plug-in is from another version of Acetate"]


def test_a_gimp_that_was_never_started_is_no_missing_gimp(home, monkeypatch):
    program = home / "bin/gimp-console-3.2"
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    (never,) = finding("GIMP")
    assert not never.good and "never started" in never.text and never.remedy == "acetate plugin install gimp"
