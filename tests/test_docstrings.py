"""Public code says what it does: every function and class in words, those over arrays their shapes, those that raise the errors.

Free of one are properties, whose name and type say it as a field's do; stubs of a protocol; and methods that a base class, or a
protocol of the same file, has said it for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("vocabulary", "raster", "engine", "document", "protocol")
ARRAYS = re.compile(r"\b(Tensor|NDArray|RGBA|RGB|Mask|Float)\b")
SHAPE = re.compile(r"`\([^`]*\)`|\b[Ss]hapes?\b|\bscalar\b")
"""`(H, W, 4)`, or in words: of any shape, of one shape, a scalar."""
Node = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Public(NamedTuple):
    """A public definition that needs a docstring."""

    place: str
    node: Node

    @property
    def text(self) -> str:
        return ast.get_docstring(self.node) or ""

    @property
    def over_arrays(self) -> bool:
        """Whether it takes or returns an array."""
        if isinstance(self.node, ast.ClassDef):
            return False
        return bool(ARRAYS.search(f"{ast.unparse(self.node.args)} {ast.unparse(self.node.returns or ast.Constant(None))}"))

    @property
    def raises(self) -> bool:
        """Whether an error is raised in its own body, and not in what it calls."""
        return not isinstance(self.node, ast.ClassDef) and any(_raised(self.node))


def _raised(node: ast.AST) -> Iterator[ast.Raise]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Raise) and child.exc is not None and ast.unparse(child.exc) != "NotImplementedError":
            yield child
        if not isinstance(child, Node | ast.Lambda):
            yield from _raised(child)


def _bases(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).rpartition(".")[2] for base in node.bases}


def _said(classes: Mapping[str, ast.ClassDef], names: Iterable[str]) -> set[str]:
    """The methods that classes of these names, or their own bases, have a docstring for."""
    found: set[str] = set()
    for one in (classes[name] for name in names if name in classes):
        found |= {method.name for method in one.body if isinstance(method, ast.FunctionDef) and ast.get_docstring(method)}
        found |= _said(classes, _bases(one))
    return found


def public(place: str, tree: ast.Module, classes: Mapping[str, ast.ClassDef]) -> Iterator[Public]:
    """The public definitions of a file, but for the free ones."""
    protocols = {node.name for node in tree.body if isinstance(node, ast.ClassDef) and "Protocol" in _bases(node)}

    def walk(body: list[ast.stmt], path: str, free: set[str]) -> Iterator[Public]:
        for node in body:
            if not isinstance(node, Node) or node.name.startswith("_"):
                continue
            decorators = " ".join(ast.unparse(one) for one in node.decorator_list)
            stub = isinstance(node.body[-1], ast.Expr) and ast.unparse(node.body[-1]) == "..."
            if not (stub or node.name in free or re.search(r"property|setter", decorators)):
                yield Public(f"{place}:{node.lineno} {path}{node.name}", node)
            if isinstance(node, ast.ClassDef):
                yield from walk(node.body, f"{path}{node.name}.", _said(classes, (_bases(node) | protocols) - {node.name}))

    return walk(tree.body, "", set())


def unsaid(sources: Mapping[str, str]) -> Iterator[str]:
    """What the docstrings of these files leave out."""
    trees = {place: ast.parse(source) for place, source in sources.items()}
    classes = {node.name: node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for one in (found for place, tree in trees.items() for found in public(place, tree, classes)):
        if not one.text:
            yield f"{one.place} has no docstring"
        elif one.over_arrays and one.place.startswith(("raster/", "engine/", "document/")) and not SHAPE.search(one.text):
            yield f"{one.place} says no shape"
        elif one.raises and not re.search(r"\b[Rr]aises?\b", one.text):
            yield f"{one.place} does not say what it raises"


def test_public_code_says_what_it_does() -> None:
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    assert list(unsaid({path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files})) == []


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("def f(): return 1", "engine/f.py:1 f has no docstring"),
        ("class A: pass", "engine/f.py:1 A has no docstring"),
        ("class A:\n '''A.'''\n def f(self): return 1", "engine/f.py:3 A.f has no docstring"),
        ("def f(x: Tensor) -> int:\n '''Of x.'''\n return 1", "engine/f.py:1 f says no shape"),
        ("def f() -> RGBA:\n '''Of x.'''\n return 1", "engine/f.py:1 f says no shape"),
        ("def f():\n '''It.'''\n if 1:\n  raise A(1)", "engine/f.py:1 f does not say what it raises"),
        ("def f(x: Mask):\n '''Raises `A` for other than `(H, W)`.'''\n raise A(1)", None),
        ("def _f(): return 1", None),
        ("class A:\n '''A.'''\n @property\n def f(self): return 1", None),
        ("class A:\n '''A.'''\n def f(self): '''It.'''\nclass B(A):\n '''B.'''\n def f(self): return 1", None),
        ("class A(Protocol):\n '''A.'''\n def f(self): ...", None),
        ("def f():\n '''It.'''\n def g(): raise A(1)", None),
        ("def f():\n '''It, for subclasses to say.'''\n raise NotImplementedError", None),
    ],
)
def test_what_a_docstring_leaves_out_is_told(source: str, complaint: str | None) -> None:
    assert list(unsaid({"engine/f.py": source})) == ([complaint] if complaint else [])
