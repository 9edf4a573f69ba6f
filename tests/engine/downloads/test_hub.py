"""Downloads from a local server that behaves like the hub: whole, cut, damaged, resumed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import huggingface_hub.constants
import huggingface_hub.file_download
import pytest
from acetate.engine.downloads.hub import is_intact, pull
from acetate.engine.files.catalogue import ROWS, CatalogueRow
from acetate.engine.values.errors import BadRequest, ModelBroken, ModelMissing

CONTENT = bytes(range(256)) * 4000


class Hub(ThreadingHTTPServer):
    """Serves `CONTENT` under every name, with the hub's headers and ranges."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.content = CONTENT
        self.cuts: list[int] = []
        """Bytes after which the next answers break off."""
        self.paths: list[str] = []
        self.ranges: list[str | None] = []
        """The `Range` header of each GET."""


class Answer(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers.get("Range"))
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        self.server.paths.append(self.path)
        if refusal := next((status for status in (404, 401, 403, 503) if f"answers-{status}" in self.path), None):
            self.send_response(refusal)
            self.send_header("X-Error-Code", {404: "RepoNotFound", 403: "GatedRepo"}.get(refusal, "None"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        part = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(part)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(self.server.content) - 1}/{len(self.server.content)}")
        self.send_header("X-Repo-Commit", "e337e9d7a0f2a6fee6c3580374327380f88d065b")
        self.send_header("X-Linked-Size", str(len(self.server.content)))
        self.send_header("X-Linked-ETag", f'"{hashlib.sha256(CONTENT).hexdigest()}"')
        self.end_headers()
        if not body:
            return
        if self.server.cuts:
            self.wfile.write(part[: self.server.cuts.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)
            return
        self.wfile.write(part)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    server = Hub()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", server.url)
    monkeypatch.setattr(
        huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hub")))
    monkeypatch.setattr(huggingface_hub.file_download.time, "sleep", lambda seconds: None)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


ROW: CatalogueRow = replace(ROWS[2], bytes=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())
TARGET = Path("layer_model") / ROW.file


def yes(row: CatalogueRow) -> bool:
    return True


def test_a_file_arrives_whole_with_progress(hub: Hub, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    path = pull(ROW, tmp_path, yes, lambda done, total: seen.append((done, total)))
    assert path == tmp_path / TARGET
    assert path.read_bytes() == CONTENT
    assert hub.paths[-1] == f"/{ROW.repo}/resolve/{ROW.revision}/{ROW.file}"
    assert seen[0][0] == 0
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [file.name for file in path.parent.iterdir() if not file.name.endswith(".lock")] == [ROW.file]


def test_a_file_that_is_there_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    pull(ROW, tmp_path, yes)
    pull(ROW, tmp_path, yes)
    assert len(hub.ranges) == 1
    (tmp_path / TARGET).write_bytes(CONTENT[:-1] + b"x")
    assert not is_intact(tmp_path / TARGET, ROW)
    pull(ROW, tmp_path, yes)
    assert (tmp_path / TARGET).read_bytes() == CONTENT


def test_the_licence_comes_first(hub: Hub, tmp_path: Path) -> None:
    asked: list[str] = []

    def no(row: CatalogueRow) -> bool:
        asked.append(row.licence)
        return False

    with pytest.raises(BadRequest, match="licence creativeml-openrail-m of .* was not accepted"):
        pull(ROW, tmp_path, no)
    assert asked == ["creativeml-openrail-m"]
    assert not hub.paths
    assert not list(tmp_path.iterdir())


def test_a_cut_connection_is_taken_up_where_it_broke(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [300_000, 100_000]
    assert pull(ROW, tmp_path, yes).read_bytes() == CONTENT
    starts = [int(text[6:].rstrip("-").split("-")[0]) for text in hub.ranges[1:] if text]
    assert len(starts) == 2
    assert 0 < starts[0] < starts[1] < len(CONTENT)


def test_a_stopped_download_goes_on_in_the_next_call(hub: Hub, tmp_path: Path) -> None:
    class Stop(Exception):
        """The person closed the window."""

    def stop(done: int, total: int | None) -> None:
        if done > 200_000:
            raise Stop

    with pytest.raises(Stop):
        pull(ROW, tmp_path, yes, stop)
    assert not (tmp_path / TARGET).exists()
    (part,) = (tmp_path / "layer_model").glob("*.part")
    present = part.stat().st_size
    assert pull(ROW, tmp_path, yes).read_bytes() == CONTENT
    assert hub.ranges[-1] == f"bytes={present}-"
    assert not part.exists()


def test_a_server_that_goes_away_keeps_what_came(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [250_000] + [0] * 20
    with pytest.raises(ModelMissing, match="could not be downloaded from https://huggingface.co/LayerDiffusion") as caught:
        pull(ROW, tmp_path, yes)
    assert "goes on where it stopped" in caught.value.hint
    assert any((tmp_path / "layer_model").glob("*.part"))
    hub.cuts = []
    assert pull(ROW, tmp_path, yes).read_bytes() == CONTENT


def test_a_wrong_byte_is_found_and_the_file_removed(hub: Hub, tmp_path: Path) -> None:
    hub.content = CONTENT[:500_000] + b"!" + CONTENT[500_001:]
    found = hashlib.sha256(hub.content).hexdigest()
    with pytest.raises(ModelBroken, match=f"its SHA-256 is {found}, {ROW.sha256} is right"):
        pull(ROW, tmp_path, yes)
    assert not [file for file in (tmp_path / "layer_model").iterdir() if not file.name.endswith(".lock")]
    hub.content = CONTENT
    assert pull(ROW, tmp_path, yes).read_bytes() == CONTENT


def test_without_a_checksum_of_our_own_the_hubs_counts(hub: Hub, tmp_path: Path) -> None:
    unknown = replace(ROW, bytes=None, sha256=None)
    hub.content = CONTENT[:-1] + b"?"
    with pytest.raises(ModelBroken, match="arrived damaged"):
        pull(unknown, tmp_path, yes)
    hub.content = CONTENT
    assert pull(unknown, tmp_path, yes).read_bytes() == CONTENT


def test_another_size_than_the_catalogues_is_refused_before_the_download(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match=r"has 1,024,000 bytes at .*; the catalogue says 5"):
        pull(replace(ROW, bytes=5), tmp_path, yes)
    assert not hub.ranges


def test_an_unknown_repository_and_a_dead_server_are_named(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelMissing, match="could not be downloaded from https://huggingface.co/someone/answers-404"):
        pull(replace(ROW, repo="someone/answers-404"), tmp_path, yes)
    dead = "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", dead)
    with pytest.raises(ModelMissing, match="could not be downloaded"):
        pull(ROW, tmp_path, yes)


@pytest.mark.parametrize(
    ("status", "hint"),
    [(404, "It was moved or removed"), (401, "HF_TOKEN"), (403, "`hf auth login`"), (503, "again later: it goes on where")],
)
def test_what_helps_goes_by_what_the_hub_answered(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, hint: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"{hub.url}/")
    with pytest.raises(ModelMissing, match=f"from {hub.url}/someone/answers-{status}: ") as caught:
        pull(replace(ROW, repo=f"someone/answers-{status}"), tmp_path, yes)
    assert hint in caught.value.hint and "Check the network" not in caught.value.hint


def test_nothing_is_asked_of_the_hub_but_the_file(hub: Hub, tmp_path: Path) -> None:
    pull(ROW, tmp_path, yes)
    assert {path.rpartition("/")[2] for path in hub.paths} == {ROW.file}


def test_the_environment_names_the_server(hub: Hub, tmp_path: Path) -> None:
    script = (
        "import hashlib, sys, pathlib, dataclasses\n"
        "from acetate.engine.downloads import hub\n"
        "from acetate.engine.files import catalogue\n"
        "content = bytes(range(256)) * 4000\n"
        "row = dataclasses.replace(catalogue.ROWS[2], bytes=len(content), sha256=hashlib.sha256(content).hexdigest())\n"
        "print(hub.pull(row, pathlib.Path(sys.argv[1]), lambda row: True))\n"
        "assert 'torch' not in sys.modules\n"
    )
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "NO_PROXY": "127.0.0.1"}
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=environment, check=True, capture_output=True, timeout=120)
    assert (tmp_path / TARGET).read_bytes() == CONTENT
