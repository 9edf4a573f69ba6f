"""The release's checks find what they are there for: what is missing from a wheel, and what a plug-in cannot import."""

from __future__ import annotations

import importlib.util
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def release() -> ModuleType:
    """tools/release.py, which is a script and no part of a package."""
    specification = importlib.util.spec_from_file_location("release", ROOT / "tools/release.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def archive(path: Path, files: Mapping[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as target:
        for name, text in files.items():
            target.writestr(name, text)
    return path


def test_a_wheel_must_hold_every_file_of_every_package_and_no_other(release: ModuleType, tmp_path: Path) -> None:
    tracked = ["README.md", "server/log.py", "engine/engine.py", "tests/test_setup.py"]
    whole = {"acetate/server/log.py": "", "acetate/engine/engine.py": "", "acetate-1.dist-info/RECORD": ""}
    release._check_contents(archive(tmp_path / "whole.whl", whole), tracked)

    strange = {"acetate/engine/engine.py": "", "acetate/build/lib.py": ""}
    with pytest.raises(SystemExit, match=r"lacks \['acetate/server/log.py'\] and has \['acetate/build/lib.py'\]"):
        release._check_contents(archive(tmp_path / "strange.whl", strange), tracked)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", "See docs/models.md, the web and below. "),
        (
            "https://host/a/blob/v1/",
            "See [docs/models.md](https://host/a/blob/v1/docs/models.md), [the web](https://w.org) and [below](#b). "
            "![A picture](https://host/a/blob/v1/docs/a.png?raw=true)",
        ),
    ],
)
def test_a_page_that_is_read_elsewhere_has_no_link_into_nowhere(release: ModuleType, address: str, expected: str) -> None:
    page = "See [docs/models.md](docs/models.md), [the web](https://w.org) and [below](#b). ![A picture](docs/a.png)"
    if not address:
        expected = expected.replace("the web and below", "[the web](https://w.org) and [below](#b)")
    assert release.description(page, address) == expected


def test_the_readme_has_no_other_form_of_link_that_would_lead_nowhere(release: ModuleType) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "](docs/" in text and "<img" not in text
    assert not re.search(r"\]\((?![a-z]+:|#)", release.description(text, ""))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"plugins/bridge/form.py": "import websockets"}, "No module named 'websockets'"),
        ({"plugins/krita/docker.py": "def :"}, "SyntaxError"),
        ({"protocol/client/connection.py": "from json import loads as connect"}, "json"),
    ],
)
def test_a_plug_in_that_needs_more_than_the_standard_library_is_refused(
    release: ModuleType, tmp_path: Path, broken: Mapping[str, str], said: str
) -> None:
    """Krita's own start is only compiled: it registers with a Krita that is not here."""
    package = {
        "__init__.py": "import krita",
        "vocabulary/__init__.py": "",
        "protocol/__init__.py": "",
        "protocol/messages.py": "",
        "protocol/client/connection.py": "from acetate.protocol.websockets.sync.client import connect",
        "protocol/websockets/sync/client.py": "def connect(): ...",
        "plugins/bridge/form.py": "import json",
        "plugins/krita/docker.py": "import krita",
    }
    whole = archive(tmp_path / "whole.zip", {f"acetate/{name}": text for name, text in package.items()})
    release._check_zip(whole, tmp_path / "whole")

    faulty = archive(tmp_path / "faulty.zip", {f"acetate/{name}": text for name, text in {**package, **broken}.items()})
    with pytest.raises(SystemExit, match=said):
        release._check_zip(faulty, tmp_path / "faulty")
