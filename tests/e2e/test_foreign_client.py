"""A client in another language, with another websocket library, written from `docs/protocol.md`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "node"

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the script and `ws` from npm."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no Node.js and npm here")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "client.mjs"):
        shutil.copy(HERE / name, folder)
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=20000"]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=True)
    except subprocess.TimeoutExpired:
        pytest.skip("npm cannot reach its registry")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm cannot install ws: {error.stderr[-200:]}")
    return folder


def test_a_layer_is_refined_from_node(server: Any, node: Path, drawn: Any) -> None:
    command = ["node", "client.mjs", server.address.url, server.address.token]
    done = subprocess.run(command, cwd=node, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    (layer,) = said["layers"]

    assert [kind for kind in said["seen"] if kind in ("welcome", "have", "queued", "started", "layer", "finished")] == [
        "welcome", "have", "have", "queued", "started", "layer", "finished",
    ]  # fmt: skip
    assert (layer["x"], layer["y"], layer["width"], layer["height"]) == (7, 8, 300, 500)
    assert layer["received"] == layer["bytes"] == 300 * 500 * 4
    assert layer["named"] == layer["sha256"]
