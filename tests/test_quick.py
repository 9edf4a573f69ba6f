"""The quick ring is quick because it imports neither torch nor what imports it; `--quick` refuses them by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def quick(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--quick", *words]
    return subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, timeout=600)


def test_the_tests_of_what_runs_in_the_editors_import_no_torch() -> None:
    done = quick("tests/plugins", "tests/protocol")

    assert done.returncode == 0, done.stdout[-4000:]


def test_no_file_of_the_quick_ring_imports_torch() -> None:
    done = quick("--collect-only")

    assert done.returncode == 0, done.stdout[-4000:]
    assert "tests/document/composition/test_compose.py" in done.stdout and "tests/server/jobs/test_dispatcher.py" in done.stdout
    assert "tests/engine/pixels/test_alpha.py" in done.stdout and "tests/e2e" not in done.stdout


def test_a_test_that_needs_torch_fails_in_the_quick_ring_by_its_name(tmp_path: Path) -> None:
    needy = tmp_path / "test_needy.py"
    needy.write_text("def test_it():\n    import torch\n")
    done = quick("--rootdir", str(HERE.parent), "tests/plugins/bridge/test_words.py", str(needy))

    assert done.returncode == 1 and "imports torch" in done.stdout, done.stdout
