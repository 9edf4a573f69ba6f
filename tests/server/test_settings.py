"""The server's defaults: where it keeps things, and that what it announces is what it checks."""

from __future__ import annotations

import ast
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from acetate.protocol import ProtocolError
from acetate.protocol.frames import PART_BYTES, PixelPart, pack_header, unpack
from acetate.protocol.messages import ListJobs, from_client
from acetate.server.settings import ENGINE, FAKE_ENGINE, Settings
from acetate.vocabulary.parameters import PARAMETERS
from acetate.vocabulary.value_types import FreeText, Whole


def test_everything_lies_in_one_folder_which_is_looked_up_for_each_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path / "one"))
    one = Settings()
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path / "two"))

    assert (one.folder, Settings().folder) == (tmp_path / "one", tmp_path / "two")
    kept = [one.database, one.blobs, one.log]
    assert {path.parent for path in kept} == {one.folder} and len(set(kept)) == 3
    assert replace(one, folder=tmp_path).database.parent == tmp_path


@pytest.mark.parametrize("engine", [ENGINE, FAKE_ENGINE])
def test_an_engine_is_named_so_that_a_worker_finds_it(engine: str) -> None:
    """Read instead of imported: an engine may load torch."""
    module, _, name = engine.partition(":")
    found = find_spec(module)
    assert found is not None and found.origin is not None
    code = ast.parse(Path(found.origin).read_text(encoding="utf-8"))
    assert name in {node.name for node in code.body if isinstance(node, ast.ClassDef)}


def test_the_limits_that_are_announced_are_those_that_are_kept() -> None:
    limits = Settings().limits
    frame = '{"type":"jobs"}'
    assert from_client(frame + " " * (limits.text_bytes - len(frame))) == ListJobs()
    with pytest.raises(ProtocolError):
        from_client(frame + " " * (limits.text_bytes - len(frame) + 1))
    part = bytes(limits.part_bytes)
    assert unpack(pack_header(PixelPart("job-number-1", 0, 0, len(part))) + part) is not None and limits.part_bytes == PART_BYTES
    with pytest.raises(ProtocolError):
        unpack(pack_header(PixelPart("job-number-1", 0, 0, len(part) + 1)) + part + b"\0")

    prompt, count = PARAMETERS["prompt"].type, PARAMETERS["count"].type
    assert isinstance(prompt, FreeText) and limits.prompt_characters == prompt.most
    assert isinstance(count, Whole) and limits.count == count.most
