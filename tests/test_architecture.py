"""The house keeps its shape: arrows between packages and rooms, and the standard library alone where hosts run the code."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Set
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("vocabulary", "raster", "engine", "document", "protocol", "server", "plugins")
ARROWS: Mapping[str, Set[str]] = {
    "vocabulary": set(),
    "raster": {"vocabulary"},
    "engine": {"vocabulary", "raster"},
    "document": {"vocabulary", "raster"},
    "protocol": {"vocabulary"},
    "server": {"vocabulary", "raster", "engine", "document", "protocol", "plugins"},
    "plugins": {"vocabulary", "protocol"},
}
"""Who may import whom. `server` sees `plugins` only as the installer that the command line calls."""
METHOD = {"values", "prompt_language", "families", "checkpoints", "adapters", "files", "layerdiffuse", "weights"}
ROOMS: Mapping[str, Mapping[str, Set[str]]] = {
    "engine": {
        "data": set(),
        "builtin": set(),
        "values": set(),
        "prompt_language": {"values"},
        "pixels": {"values"},
        "families": {"values"},
        "checkpoints": {"values", "families"},
        "adapters": {"families"},
        "files": {"values", "families", "checkpoints", "adapters"},
        "downloads": {"values", "files"},
        "layerdiffuse": {"values", "files"},
        "sketch": {"values", "families", "prompt_language"},
        "weights": {"values", "families", "checkpoints", "adapters", "files", "layerdiffuse"},
        "device": {"values", "files", "weights"},
        "acceleration": {"values", "files", "device"},
        "models": {*METHOD, "pixels", "device", "acceleration", "sketch"},
        "native_rgba": {*METHOD, "pixels", "device", "models"},
        "sampling": {*METHOD, "pixels", "device", "models", "native_rgba", "sketch"},
        "upscaling": {*METHOD, "pixels", "device", "models", "sampling", "builtin"},
        "validation": {"values"},
        "requirements": {"values", "families", "files", "upscaling"},
        "preflight": {
            *("values", "prompt_language", "families", "files", "upscaling", "builtin", "validation", "requirements"),
        },
        "description": {"values", "families"},
        "engine": {
            *METHOD,
            *("pixels", "device", "models", "native_rgba", "sampling", "upscaling", "builtin", "requirements", "preflight"),
            "description",
        },
        "benchmark": {*METHOD, "pixels", "device", "models", "sampling", "engine"},
    },
    "server": {
        "settings": set(),
        "configuration": {"settings"},
        "failures": {"storage"},
        "log": set(),
        "open_files": {"settings"},
        "instance": set(),
        "worker": {"settings", "failures"},
        "storage": set(),
        "schemas": {"settings"},
        "people": {"settings"},
        "delivery": {"failures", "people", "storage", "worker"},
        "jobs": {"settings", "failures", "log", "people", "worker", "storage", "delivery"},
        "ray": {"settings", "worker", "jobs"},
        "http": {
            *("settings", "failures", "log", "instance", "open_files", "people", "worker", "storage", "delivery", "jobs", "ray"),
        },
        "command_line": {"failures", "worker"},
        "watching": {"command_line", "worker"},
        "commands": {
            *("settings", "configuration", "failures", "log", "instance", "people", "worker", "http", "command_line"),
            *("watching", "schemas"),
        },
        "__main__": {"commands", "command_line"},
    },
}
"""Which room, or module beside the rooms, may import which others of its package; a package's own `__init__` is free."""
HOST_MODULES = {"krita", "PyQt5", "PyQt6", "gi", "websockets"}
"""What plug-in and protocol code finds besides the standard library: its host, and the library that is copied beside it."""
ASSEMBLED_WITH = {"plugins/install.py": ("babel",)}
"""What puts the plug-ins together runs in the program, not in an editor."""
HEAVY = {"torch", "diffusers", "transformers", "accelerate", "peft", "safetensors"}
FILES = 14
"""A room holds about a dozen files beside its `__init__`."""
LARGER = {
    "plugins/bridge": 20,
    "plugins/gimp": 18,
    "server/commands": 25,
    "engine/files": 16,
    "engine/sampling": 15,
}
"""Rooms with more files, and how many at most: what two plug-ins share, one for each thing that GIMP does its own way; each
command is a file of its name, as is each kind of file that models are found in, and each way of sampling."""


class Import(NamedTuple):
    """An import statement's module, resolved to its full name."""

    module: str
    typing: bool
    """Only a type checker sees it."""


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("acetate", *(parts[:-1] if parts[-1] == "__init__" else parts)))


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def modules() -> dict[str, Path]:
    return {name_of(path): path for package in PACKAGES for path in files(package)}


@functools.cache
def statements(path: Path) -> tuple[Import, ...]:
    return tuple(_statements(tree(path), path, typing=False))


def _statements(node: ast.AST, path: Path, typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, typing) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                package = name_of(path).split(".") if path.name == "__init__.py" else name_of(path).split(".")[:-1]
                base = ".".join(filter(None, (*package[: len(package) - child.level + 1], child.module)))
            for alias in child.names:
                full = f"{base}.{alias.name}"
                yield Import(full if full in modules() or base == "acetate" else base, typing)
        else:
            yield from _statements(
                child, path, typing or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test))
            )


def imports(path: Path) -> set[str]:
    return {found.module for found in statements(path)}


def room(module: str) -> str:
    """`acetate.engine.models.codec` is in `models`, `acetate.engine.validation` stands for itself."""
    return module.split(".")[2]


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_along_the_arrows(package: str) -> None:
    for path in files(package):
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("acetate.")}
        assert ours - {package} <= ARROWS[package], f"{path.relative_to(ROOT)} imports {ours - {package} - ARROWS[package]}"


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_import_only_along_the_arrows(package: str) -> None:
    rooms = ROOMS[package]
    for path in files(package):
        if path.parent == ROOT / package and path.name == "__init__.py":
            continue
        mine = room(name_of(path))
        assert mine in rooms, f"{path.relative_to(ROOT)} is in no room of the table"
        others = {room(name) for name in imports(path) if name.startswith(f"acetate.{package}.")} - {mine}
        assert others <= rooms[mine], f"{path.relative_to(ROOT)} imports {others - rooms[mine]}"


@pytest.mark.parametrize("table", [ARROWS, *ROOMS.values()], ids=["packages", *ROOMS])
def test_the_tables_of_arrows_have_no_circle_and_no_arrow_to_nowhere(table: Mapping[str, Set[str]]) -> None:
    TopologicalSorter(table).prepare()
    assert set().union(*table.values()) <= set(table)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    """Not even from within functions, where it would work."""
    graph = {
        name: {found.module for found in statements(path) if not found.typing and found.module in modules()} - {name}
        for name, path in modules().items()
        if name.split(".")[1] == package
    }
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("folder", ["engine/values", "engine/prompt_language", "engine/pixels"])
def test_values_prompts_and_pixels_are_free_of_torch(folder: str) -> None:
    for path in files(folder):
        heavy = {name.split(".")[0] for name in imports(path)} & HEAVY
        assert not heavy, f"{path.relative_to(ROOT)} imports {heavy}"
    names = ", ".join(name_of(path) for path in files(folder))
    code = f"import {names}, sys; sys.exit(', '.join({HEAVY} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_rooms_hold_about_a_dozen_files() -> None:
    folders = {path.parent for package in PACKAGES for path in files(package)}
    found = {folder.relative_to(ROOT).as_posix(): len(list(folder.glob("*.py"))) - 1 for folder in folders}
    crowded = {folder: count for folder, count in found.items() if count > LARGER.get(folder, FILES)}
    assert not crowded, f"too many files: {crowded}"
    roomy = {folder for folder in LARGER if found[folder] <= FILES}
    assert not roomy, f"no exception any more: {roomy}"


def test_every_module_says_what_it_is() -> None:
    silent = [str(path.relative_to(ROOT)) for path in modules().values() if not ast.get_docstring(tree(path))]
    assert not silent


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_imported_as_acetate_and_never_by_their_folder(package: str) -> None:
    """With the repository as working directory `import engine` would find a second copy."""
    for path in files(package):
        bare = {name.split(".")[0] for name in imports(path)} & set(PACKAGES)
        assert not bare, f"{path.relative_to(ROOT)} imports {bare}; write acetate.{'/'.join(bare)}"


@pytest.mark.parametrize("package", ["vocabulary", "protocol", "plugins"])
def test_plug_in_and_protocol_code_is_standard_library_only(package: str) -> None:
    for path in files(package):
        known = {*sys.stdlib_module_names, *HOST_MODULES, "acetate", *ASSEMBLED_WITH.get(path.relative_to(ROOT).as_posix(), ())}
        foreign = {name.split(".")[0] for name in imports(path)} - known
        assert not foreign, f"{path.relative_to(ROOT)} imports {foreign}"


@pytest.mark.parametrize("package", ["vocabulary", "protocol", "plugins/bridge", "plugins/krita", "plugins/gimp"])
def test_what_runs_in_the_editors_is_python_3_10(package: str) -> None:
    for path in files(package):
        ast.parse(path.read_text(encoding="utf-8"), filename=str(path), feature_version=(3, 10))


def test_every_folder_with_an_init_is_a_listed_package() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = set(tomllib.load(file)["tool"]["setuptools"]["packages"])
    hosts = {ROOT / "plugins" / "krita", ROOT / "plugins" / "gimp"}  # travel as data, run in their editors
    found = {
        "acetate." + ".".join(init.parent.relative_to(ROOT).parts)
        for package in PACKAGES
        for init in (ROOT / package).rglob("__init__.py")
        if not hosts & {init.parent, *init.parents}
    }
    assert found | {"acetate"} == listed, "and the namespace itself, which has no such file"


def test_there_is_no_folder_that_would_shadow_the_install() -> None:
    assert not (ROOT / "acetate").exists()


@pytest.mark.parametrize(
    "module",
    [
        "acetate.raster",
        "acetate.document",
        "acetate.engine",
        "acetate.protocol.client.client",
        "acetate.plugins.install",
        "acetate.server.http.serve",
    ],
)
def test_importing_does_not_load_torch(module: str) -> None:
    code = f"import {module}, sys; sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("words", [["--help"], ["plugin", "--help"], ["serve", "--help"], ["generate", "--help"]])
def test_asking_for_help_loads_neither_torch_nor_psd_tools(words: list[str]) -> None:
    code = f"""
import sys
from acetate.server.__main__ import main
try:
    main({words!r})
except SystemExit:
    sys.exit("torch" in sys.modules or "psd_tools" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_acceleration_is_imported_at_its_seam_alone() -> None:
    """Else `--acceleration eager` rules nothing out, and without the folder nothing works."""
    found = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in files(package)
        if any(name.startswith("acetate.engine.acceleration") for name in imports(path))
    }
    assert {name for name in found if not name.startswith("engine/acceleration/")} == {"engine/models/runtime.py"}


def test_ray_is_imported_by_one_file_when_it_is_asked_for() -> None:
    """It is an extra, starts threads, and may end its process."""
    found = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in files(package)
        if any(name.split(".")[0] == "ray" for name in imports(path))
    }
    assert found == {"server/ray/cluster.py"}
    importers = {
        path
        for path in files("server")
        if "acetate.server.ray.cluster" in {one.module for one in statements(path) if not one.typing}
    }
    assert importers == {ROOT / "server/ray/process.py"}, "the worker process, never the server"
