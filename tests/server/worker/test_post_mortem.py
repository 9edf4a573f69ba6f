"""What is told of a process that ended, by its exit code and what it said last."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate.server.worker.post_mortem import failure_of, last_words, oom_kills


@pytest.mark.parametrize(
    ("code", "words", "out_of_memory", "said"),
    [
        (9, "", False, "ended with code 9"),
        (-11, "", False, "was killed by signal 11 (SIGSEGV)"),
        (-9, "", False, "was killed by signal 9 (SIGKILL)"),
        (-9, "", True, "the computer's memory ran out"),
        (-11, "", True, "was killed by signal 11"),
        (1, "first\nRuntimeError: CUDA", False, "its last words: RuntimeError: CUDA"),
    ],
)
def test_the_reason_is_said(code: int, words: str, out_of_memory: bool, said: str) -> None:
    failure = failure_of(code, words, out_of_memory=out_of_memory)

    assert said in failure.message
    assert failure.code == ("out-of-memory" if "memory" in said else "worker-crashed")


def test_the_last_words_are_the_end_of_a_file_that_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "worker.err").write_bytes(b"x" * 9000 + b"\xff the end\n")

    assert last_words(tmp_path / "worker.err", 10) == "\ufffd the end"
    assert last_words(tmp_path / "none.err") == ""


def test_linux_counts_its_kills() -> None:
    assert oom_kills() >= 0
