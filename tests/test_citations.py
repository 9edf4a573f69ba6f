"""Citations lead somewhere: documents, their sections, links, and the files that documents name are in the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CITING = {".py", ".md", ".toml", ".sh", ".mjs", ".yml"}
"""Suffixes of the files that are searched, besides those without one."""
SECTION = r"\d+(?:\.\d+)*"
CITATION = re.compile(
    rf"(?<![\w./:-])([\w./:-]*\w\.md)\b(?:[`)\]]*,?\s+(?:#\s+)?(?:sections?\s+)?({SECTION}(?:(?:,\s+|\s+and\s+){SECTION})*))?"
)
"""A document, and perhaps numbers of its sections: `docs/performance.md 6`, `layerdiffuse.md 1.2, 1.3`."""
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED_FILE = re.compile(r"`([\w./-]+\.(?:py|sh|mjs|npz))`")
NAMED_FOLDER = re.compile(r"`((?:\.?\w[\w.-]*/)+)`")
LOST = "lost" + ".md"
"""A document that is nowhere, in two pieces, lest another finder take this file for one that cites it."""


def texts(root: Path) -> Iterator[Path]:
    """The repository's own text files, without what tools put there."""
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root)
        tools = any(part.startswith(".") and part not in (".ci", ".github") or part in ("build", "dist") for part in place.parts)
        if not tools and path.is_file() and path.suffix in CITING | {""}:
            yield path


def dangling(root: Path) -> list[str]:
    """Every citation, link and file name below `root` that leads nowhere."""
    everything = [path.relative_to(root).as_posix() for path in texts(root)]
    everything += [path.relative_to(root).as_posix() for path in root.rglob("*.npz")]
    found: list[str] = []
    for path in (path for path in texts(root) if path != Path(__file__)):  # whose examples lead nowhere on purpose
        text = path.read_text(encoding="utf-8", errors="ignore")
        wrong = [*citations(root, path, text)]
        prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        wrong += [*links(path, prose), *names(root, prose, everything)] if path.suffix == ".md" else names(root, text, everything)
        found += [f"{path.relative_to(root)} cites {one}" for one in wrong]
    return found


def citations(root: Path, path: Path, text: str) -> Iterator[str]:
    """Documents that are missing, and sections that a document lacks."""
    for name, numbers in CITATION.findall(text):
        if "://" in name:
            continue
        document = next((one for folder in (path.parent, root, root / "docs") if (one := folder / name).is_file()), None)
        if document is None:
            yield name
            continue
        sections = set(re.findall(rf"^#+ ({SECTION})\.? ", document.read_text(encoding="utf-8"), re.MULTILINE))
        yield from (f"{name} {number}" for number in re.findall(SECTION, numbers) if number not in sections)


def links(path: Path, text: str) -> Iterator[str]:
    """Relative links to files that are missing, and to headings that a page lacks."""
    for target in LINK.findall(text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        page = path.parent / name if name else path
        if not page.exists() or anchor and anchor not in anchors(page):
            yield target


def anchors(page: Path) -> set[str]:
    """What a heading is called in a link, as GitHub and others make it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def names(root: Path, text: str, everything: list[str]) -> Iterator[str]:
    """File names in code spans that no file ends with, and folders that are missing; placeholders have other letters."""
    for name in NAMED_FILE.findall(text):
        installed = name.startswith("acetate/")  # as a wheel and a plug-in have it
        if not installed and not any(f"/{one}".endswith(f"/{name}") for one in everything):
            yield name
    for folder in NAMED_FOLDER.findall(text):
        top = folder.split("/")[0]
        if (root / top).is_dir() and not (root / folder).is_dir():
            yield folder


def test_every_citation_leads_somewhere() -> None:
    assert dangling(ROOT) == []


def test_the_search_reaches_what_it_should() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in texts(ROOT)}
    assert {"README.md", "Makefile", ".ci/run", "pyproject.toml", "engine/models/codec.py", "docs/layerdiffuse.md"} <= found


@pytest.mark.parametrize(
    ("file", "text", "wrong"),
    [
        ("a.py", f"# the paper ({LOST} 3)", LOST),
        ("a.py", '"""See models.md 1.2, 1.4."""', "models.md 1.4"),
        ("a.py", "# as models.md\n# 2 says", "models.md 2"),
        ("a.toml", 'note = "docs/models.md, section 3"', "docs/models.md 3"),
        ("Makefile", f"# docs/{LOST}", f"docs/{LOST}"),
        ("README.md", "[there](docs/models.md#no-such-heading)", "docs/models.md#no-such-heading"),
        ("README.md", "[there](docs/lost.png)", "docs/lost.png"),
        ("README.md", "see `engine/lost.py`", "engine/lost.py"),
        ("a.py", "# as `lost.py` says", "lost.py"),
        ("README.md", "see `engine/lost/`", "engine/lost/"),
    ],
)
def test_what_leads_nowhere_is_found(tmp_path: Path, file: str, text: str, wrong: str) -> None:
    write_page(tmp_path)
    (tmp_path / file).write_text(text)
    assert dangling(tmp_path) == [f"{file} cites {wrong}"]


def test_what_leads_somewhere_is_not(tmp_path: Path) -> None:
    write_page(tmp_path)
    (tmp_path / "engine/a.py").write_text(f"# models.md 1, 1.2 and docs/models.md; https://example.org/{LOST} 4; `.md`\n")
    (tmp_path / "README.md").write_text(
        "[a](docs/models.md#12-a-heading-with-code) `engine/a.py` `a.py` `engine/` ![x](docs/models.md)\n"
    )
    assert dangling(tmp_path) == []


def write_page(root: Path) -> None:
    for folder in ("docs", "engine"):
        (root / folder).mkdir()
    (root / "docs/models.md").write_text("# A page\n\n## 1. One\n\n### 1.2 A heading with `code`\n")
