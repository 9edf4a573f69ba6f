"""One server per folder, and the file by which clients of the same person find it."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from acetate.server.instance import INHERITED, AlreadyRunningError, Instance


def test_a_folder_has_one_server_until_it_is_released(tmp_path: Path) -> None:
    first = Instance(tmp_path)
    with pytest.raises(AlreadyRunningError, match="server.lock"):
        Instance(tmp_path)
    first.release()
    second = Instance(tmp_path)
    second.release()

    assert second.token != first.token and len(bytes.fromhex(second.token)) == 32


def test_the_state_file_is_for_one_person_and_goes_when_nobody_shall_come(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    address = instance.announce("ws://127.0.0.1:1/", tmp_path / "certificate.pem")
    said = json.loads(instance.state_file.read_text())

    assert stat.S_IMODE(instance.state_file.stat().st_mode) == 0o600
    assert (said["url"], said["token"], said["pid"]) == (address.url, address.token, os.getpid())
    assert said["cafile"] == str(tmp_path / "certificate.pem")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["server.json", "server.lock"], "no half-written one is left"
    instance.withdraw()
    assert not instance.state_file.exists()
    instance.release()


def test_what_may_quote_prompts_is_closed_to_others_and_the_rest_left_as_it_is(tmp_path: Path) -> None:
    for name in ("server.log", "notes.txt"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    (tmp_path / "blobs").mkdir(mode=0o755)
    Instance(tmp_path).release()

    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("server.log", "notes.txt", "blobs")}
    assert modes == {"server.log": 0o600, "notes.txt": 0o644, "blobs": 0o700}


def test_a_server_that_starts_again_keeps_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two an editor would start one with other options."""
    monkeypatch.setenv(INHERITED, "")
    first = Instance(tmp_path)
    first.keep_for_successor()
    first.release()
    inherited = os.environ[INHERITED]
    monkeypatch.delenv(INHERITED)
    with pytest.raises(AlreadyRunningError):
        Instance(tmp_path)
    monkeypatch.setenv(INHERITED, inherited)
    successor = Instance(tmp_path)
    assert INHERITED not in os.environ and not os.get_inheritable(int(inherited)), "its workers do not get it"
    with pytest.raises(AlreadyRunningError):
        Instance(tmp_path)
    successor.release()
    Instance(tmp_path).release()


@pytest.mark.parametrize("said", ["", "x", "-1", "0", "99999"])
def test_a_descriptor_that_is_not_the_lock_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv(INHERITED, said)
    first = Instance(tmp_path)
    with pytest.raises(AlreadyRunningError):
        Instance(tmp_path)
    first.release()


def test_the_certificate_is_found_from_any_folder(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    assert instance.announce("wss://studio.example:1/", Path("certificate.pem")).cafile == str(Path("certificate.pem").absolute())
    instance.release()


@pytest.mark.skipif(sys.platform == "win32", reason="folders have other rights there")
def test_ones_own_folder_is_closed_to_others_and_one_of_another_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where anybody may write, anybody could put a state file of their own in the place of ours."""
    tmp_path.chmod(0o777)
    Instance(tmp_path).release()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o775
    tmp_path.chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="ACETATE_HOME"):
        Instance(tmp_path)
    assert not (tmp_path / "server.json").exists()
