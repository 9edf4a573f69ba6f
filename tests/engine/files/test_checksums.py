"""Checksums of files, what is remembered when they are first used, and what is said when they change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from acetate.engine.files.checksums import FirstUse, sha256_of
from acetate.engine.values.errors import ValuesBroken


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (b"a" * 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ],
    ids=["empty", "short", "of several pieces"],
)
def test_a_checksum_is_the_published_one_of_these_bytes(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "file").write_bytes(content)
    assert sha256_of(tmp_path / "file") == expected


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"one")
    return path


@pytest.fixture
def known(tmp_path: Path) -> FirstUse:
    return FirstUse(tmp_path / "settings" / "first_use.json")


def later(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 10**9))


def test_a_file_of_another_content_is_named_once_with_the_day_of_its_first_use(known: FirstUse, file: Path) -> None:
    assert known.look([file]) == ()
    later(file, b"two")
    (said,) = known.look([file])
    assert said.startswith("m.safetensors is not the file that was first used on 2")
    assert said.endswith("its content has changed")
    assert known.look([file]) == ()


def test_a_file_that_was_only_touched_is_the_same(known: FirstUse, file: Path) -> None:
    known.look([file])
    later(file, b"one")
    assert known.look([file]) == ()


def test_a_file_that_decays_without_a_new_time_is_found_when_all_are_compared(known: FirstUse, file: Path) -> None:
    known.look([file])
    assert list(known.differing()) == [(file, False)]
    times = file.stat()
    file.write_bytes(b"onf")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert known.look([file]) == ()
    assert list(known.differing()) == [(file, True)]


def test_what_was_found_wrong_holds_until_the_file_is_another(known: FirstUse, file: Path) -> None:
    known.condemn(ValuesBroken("the UNet holds NaN", "", file))
    assert known.problems() == {file: "the UNet holds NaN"}
    later(file, b"two")
    assert known.problems() == {}
    known.condemn(ValuesBroken("the UNet holds NaN", "", file))
    file.unlink()
    assert known.problems() == {}


def test_a_broken_vae_counts_no_more_with_another_next_to_it(known: FirstUse, file: Path) -> None:
    known.condemn(ValuesBroken("the VAE holds NaN", "", file, replaceable=True))
    assert known.problems() == {file: "the VAE holds NaN"}
    file.with_suffix(".vae.safetensors").touch()
    assert known.problems() == {}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"a": 1, "b": {}}'])
def test_a_damaged_memory_is_an_empty_one(known: FirstUse, file: Path, content: bytes) -> None:
    known._path.parent.mkdir()
    known._path.write_bytes(content)
    assert known.problems() == {}
    assert known.look([file]) == ()
    assert [path for path, _ in known.differing()] == [file]
