"""The client of `examples/typescript/`: its types are those of the messages, and it does what a client does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.node
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example with the story, what it needs from npm, and its JavaScript in `built/`: older Nodes take no types."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no Node.js and npm here")
    folder = tmp_path_factory.mktemp("typescript")
    for path in (*(ROOT / "examples" / "typescript").glob("*.*s*"), Path(__file__).parent / "node" / "story.ts"):
        shutil.copy(path, folder)
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=20000"]
    try:
        subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=240, check=True)
    except subprocess.TimeoutExpired:
        pytest.skip("npm cannot reach its registry")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm cannot install the example: {error.stderr[-200:]}")
    return folder


@pytest.fixture(scope="module")
def built(example: Path) -> Path:
    done = subprocess.run(["npm", "run", "build"], cwd=example, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout
    return example / "built"


def node(script: Path, *words: str, **environment: str) -> str:
    done = subprocess.run(
        ["node", str(script), *words], capture_output=True, text=True, timeout=240, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_and_its_types_fit_each_other(example: Path) -> None:
    done = subprocess.run(["npm", "run", "check"], cwd=example, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout


def test_a_message_with_a_wrong_field_does_not_compile(example: Path) -> None:
    wrong = example / "wrong.ts"
    wrong.write_text('import type { Submit } from "./messages.ts";\nexport const s: Submit = { type: "submit", tusk: "x" };')
    try:
        done = subprocess.run(["npm", "run", "check"], cwd=example, capture_output=True, text=True, timeout=240)
    finally:
        wrong.unlink()
    assert done.returncode != 0 and "tusk" in done.stdout


@pytest.fixture(scope="module")
def told(shared_server: Any, built: Path) -> dict[str, Any]:
    """What the story printed."""
    address, folder = shared_server.address, str(shared_server.folder)
    return dict(json.loads(node(built / "story.js", address.url, address.token, folder)))


def test_everything_that_a_client_does_can_be_done_from_typescript(told: dict[str, Any]) -> None:
    assert told["welcome"] == [1, 1, 1, "raw"]
    assert told["large"] == [4 * 700 * 700, True] and told["zipped"] == [True] and told["wide"] == [16 * 700 * 700, True]
    assert told["seed"] == [True, "exact (9223372036854775807)"] and told["small seed"] == 5
    assert told["refined"] == [True, 7, 8, 900, 400, "ab (0)"]
    assert told["watched"][0] == "queued" and {"started", "progress", "preview", "layer"} <= set(told["watched"])
    assert told["cancelled"] == "cancelled"
    assert told["survivor"] == [3, "finished"] and told["attached"] == [1, 2]
    assert told["history"] == [2, True, [True, True]]
    assert told["file"] == [True, True] and len(told["inserted"]) == 3
    assert told["jobs"] is False and told["discarded"] is True


def test_what_is_refused_is_refused_to_who_asked(told: dict[str, Any]) -> None:
    codes = {name: told[name]["code"] for name in ("gone", "wrong", "missing", "shape")}
    assert codes == {
        "gone": "unknown-job",
        "wrong": "bad-message",
        "missing": "unknown-image",
        "shape": "bad-message",
    }
    assert "401" in told["token"]


def test_without_words_the_example_says_how_it_is_used(built: Path) -> None:
    done = subprocess.run(["node", str(built / "one_layer.js")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.startswith("usage: node one_layer.ts PROMPT")


def test_one_layer_is_written_as_a_png(shared_server: Any, built: Path, tmp_path: Path) -> None:
    said = node(built / "one_layer.js", "a red apple", str(tmp_path / "apple.png"), ACETATE_HOME=str(shared_server.folder))

    assert "a red apple (0)" in said  # progress may be left out under load
    with Image.open(tmp_path / "apple.png") as made:
        assert made.mode == "RGBA"
