from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest
from acetate.protocol import Address, ProtocolError, chosen_address, home, running_server


def test_the_folder_is_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACETATE_HOME", raising=False)
    monkeypatch.delenv("SNAP_REAL_HOME", raising=False)

    assert home() == Path(platformdirs.user_state_dir("acetate", appauthor=False))


def test_one_variable_overrides_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))

    assert home() == tmp_path


WRONG = (None, 7, True, [], {}, 1.5)
GOOD: dict[str, object] = {"url": "ws://127.0.0.1:1/", "token": "t", "pid": 5, "protocol": 1}


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "5", '{"url": "ws://x"}', "\xff"),
        *(json.dumps({**GOOD, name: value}) for name in ("url", "token") for value in WRONG),
        *(json.dumps({**GOOD, name: value}) for name in ("pid", "protocol") for value in (None, "5", True, [], {}, 1.5)),
        *(json.dumps({**GOOD, "cafile": value}) for value in WRONG[1:]),
    ],
)
def test_a_broken_state_file_is_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    (tmp_path / "server.json").write_text(content, encoding="latin-1")

    assert running_server() is None


def test_the_state_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    (tmp_path / "server.json").write_text(
        json.dumps({"url": "ws://127.0.0.1:1/", "token": "t", "pid": 5, "protocol": 1, "new": 0})
    )
    found = running_server()

    assert found is not None and (found.address.url, found.address.token, found.pid) == ("ws://127.0.0.1:1/", "t", 5)


@pytest.mark.skipif(sys.platform == "win32", reason="files have no owners there")
def test_a_state_file_that_somebody_else_has_written_is_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a folder that others may write to, it could lead to them, with a token of theirs."""
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    (tmp_path / "server.json").write_text(json.dumps(GOOD))
    assert running_server() is not None
    real = os.fstat
    monkeypatch.setattr(os, "fstat", lambda file: os.stat_result((*real(file)[:4], os.geteuid() + 1, *real(file)[5:10])))
    assert running_server() is None


def test_the_environment_names_a_server_with_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen_address() is None
    monkeypatch.setenv("ACETATE_URL", "wss://studio.example/")
    with pytest.raises(ProtocolError, match="ACETATE_TOKEN"):
        chosen_address()
    monkeypatch.setenv("ACETATE_TOKEN", "a token")
    assert chosen_address() == Address("wss://studio.example/", "a token", None)
    monkeypatch.setenv("ACETATE_CAFILE", "/studio.pem")
    assert chosen_address() == Address("wss://studio.example/", "a token", "/studio.pem")


def test_the_package_works_as_a_copy_with_nothing_installed(tmp_path: Path) -> None:
    """As in a plug-in: protocol and vocabulary copied, `websockets` as a pure-Python folder inside, no site-packages."""
    import shutil

    import acetate.protocol
    import acetate.vocabulary
    import websockets

    for package in (acetate.protocol, acetate.vocabulary):
        folder = Path(str(package.__file__)).parent
        shutil.copytree(folder, tmp_path / "acetate" / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    target = tmp_path / "acetate" / "protocol"
    leave = shutil.ignore_patterns("__pycache__", "legacy", "asyncio", "trio", "*.so", "*.c", "*.pyd")
    shutil.copytree(Path(websockets.__file__).parent, target / "websockets", ignore=leave)
    (tmp_path / "acetate" / "__init__.py").touch()
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from acetate.protocol import Address, Client\n"
        "client = Client('copy', address=Address('ws://127.0.0.1:9/', 't'))\n"
        "client.connect()\n"
        "print(client.events.get(timeout=60).failure.code)\n"
        "client.close()\n"
        "outside = [name for name in sys.modules if name.split('.')[0] in ('websockets', 'numpy')]\n"
        "print(outside)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["connection-lost", "[]"]
