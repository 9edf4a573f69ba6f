"""What files are is found out once, and again when they change; what was remembered may be lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from acetate.engine.families import FAMILIES
from acetate.engine.files import header_cache
from acetate.engine.files.header_cache import DAMAGED, HeaderCache

SPELLED = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
LORA = {f"{SPELLED}.lora_down.weight": (1, 768), f"{SPELLED}.lora_up.weight": (320, 1)}
SPELLED_XL = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
LORA_XL = {f"{SPELLED_XL}.lora_down.weight": (1, 2048), f"{SPELLED_XL}.lora_up.weight": (640, 1)}
Write = Callable[[Path, Mapping[str, tuple[int, ...]]], Path]


@pytest.fixture
def cache(tmp_path: Path) -> HeaderCache:
    return HeaderCache(tmp_path / "cache" / "headers.json")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are looked into, in that order."""
    seen: list[str] = []
    look = header_cache._look
    monkeypatch.setattr(header_cache, "_look", lambda path: seen.append(path.name) or look(path))
    return seen


@pytest.fixture
def sums(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose checksums are computed."""
    seen: list[str] = []
    compute = header_cache.sha256_of
    monkeypatch.setattr(header_cache, "sha256_of", lambda path: seen.append(path.name) or compute(path))
    return seen


def test_what_an_older_version_thought_of_a_file_is_forgotten_when_a_family_changes() -> None:
    assert {path.stem for path in header_cache.SOURCES} >= {"recognition", "base", "ldm_checkpoints", *FAMILIES}


def test_a_damaged_cache_or_one_of_older_rules_is_forgotten(write_sparse: Write, tmp_path: Path) -> None:
    ink, path = write_sparse(tmp_path / "ink.safetensors", LORA), tmp_path / "headers.json"
    for content in ("{", "[]", '{"rules": 1, "files": {"x": 1}}', json.dumps({"rules": header_cache.RULES, "files": []})):
        path.write_text(content)
        cache = HeaderCache(path)
        assert cache.kind(ink).family == "sd15"
        cache.save()
        assert list(json.loads(path.read_text())["files"]) == [str(ink)]


def test_a_file_is_looked_into_once_also_by_the_next_process(
    write_sparse: Write, tmp_path: Path, cache: HeaderCache, looks: list[str]
) -> None:
    ink = write_sparse(tmp_path / "ink.safetensors", LORA)
    kinds = [cache.kind(ink), cache.kind(ink)]
    cache.save()
    kinds.append(HeaderCache(tmp_path / "cache" / "headers.json").kind(ink))
    assert len(set(kinds)) == 1 and kinds[0].role == "lora"
    assert looks == ["ink.safetensors"]


def test_a_changed_file_is_looked_into_again(write_sparse: Write, tmp_path: Path, cache: HeaderCache, looks: list[str]) -> None:
    ink = write_sparse(tmp_path / "ink.safetensors", LORA)
    before = cache.kind(ink).family
    write_sparse(ink, LORA_XL)
    assert (before, cache.kind(ink).family) == ("sd15", "sdxl") and len(looks) == 2


def test_a_changed_file_has_another_checksum(tmp_path: Path, cache: HeaderCache, sums: list[str]) -> None:
    file = tmp_path / "m.safetensors"
    for content in (b"weights", b"other weights"):
        file.write_bytes(content)
        assert cache.sha256(file) == hashlib.sha256(content).hexdigest()
    assert len(sums) == 2


def test_a_checksum_is_computed_once_and_kept_at_once(tmp_path: Path, cache: HeaderCache, sums: list[str]) -> None:
    """Without waiting for `save`: it may have taken half a minute."""
    file = tmp_path / "m.safetensors"
    file.write_bytes(b"weights")
    assert cache.sha256(file) == hashlib.sha256(b"weights").hexdigest()
    again = HeaderCache(tmp_path / "cache" / "headers.json")
    assert again.sha256(file) == cache.sha256(file)
    assert sums == ["m.safetensors"]


def test_nothing_is_written_where_nothing_was_learnt(
    write_sparse: Write, tmp_path: Path, cache: HeaderCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.kind(write_sparse(tmp_path / "ink.safetensors", LORA))
    cache.save()
    monkeypatch.setattr(header_cache, "write_json", lambda *_: pytest.fail("written again"))
    cache.kind(tmp_path / "ink.safetensors")
    cache.save()


def test_a_folder_that_cannot_be_written_costs_only_time(write_sparse: Write, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    cache = HeaderCache(tmp_path / "cache" / "headers.json")
    assert cache.kind(write_sparse(tmp_path / "ink.safetensors", LORA)).family == "sd15"
    cache.save()
    assert (tmp_path / "cache").read_text() == "a file in the way"


def test_what_is_known_by_its_ending_is_not_opened(tmp_path: Path, cache: HeaderCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_cache, "recognise", lambda path: pytest.fail(f"{path} was opened"))
    for name, role in (("4x.PTH", "upscaler"), ("old.ckpt", "other")):
        (tmp_path / name).write_bytes(b"\x80\x02")
        assert cache.kind(tmp_path / name).role == role
    assert "run code" in cache.kind(tmp_path / "old.ckpt").problem


def test_a_damaged_file_is_of_no_use_and_a_folder_is_known_by_its_index(tmp_path: Path, cache: HeaderCache) -> None:
    (tmp_path / "cut.safetensors").write_bytes(b"\xff\0\0\0\0\0\0\0{}")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "model_index.json").write_text("{")
    for name in ("cut.safetensors", "folder"):
        kind = cache.kind(tmp_path / name)
        assert (kind.role, kind.what) == ("other", DAMAGED) and name in kind.problem


def test_a_checksum_outlives_the_question_what_the_file_is(
    write_sparse: Write, tmp_path: Path, cache: HeaderCache, sums: list[str]
) -> None:
    ink = write_sparse(tmp_path / "ink.safetensors", LORA)
    expected = cache.sha256(ink)
    cache.kind(ink)
    assert cache.sha256(ink) == expected
    assert sums == ["ink.safetensors"]


def test_a_yaml_that_comes_later_beside_a_file_is_heeded(
    write_sparse: Write, tmp_path: Path, cache: HeaderCache, looks: list[str]
) -> None:
    ink = write_sparse(tmp_path / "ink.safetensors", LORA)
    cache.kind(ink)
    ink.with_suffix(".yaml").write_text("model: {}")
    cache.kind(ink)
    cache.kind(ink)
    assert looks == ["ink.safetensors", "ink.safetensors"]
