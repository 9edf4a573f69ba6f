"""The house keeps its shape: arrows between packages, the standard library alone where hosts run the code, the package list."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("vocabulary", "engine", "document", "protocol", "server", "plugins")
ARROWS = {
    "vocabulary": set(),
    "engine": {"vocabulary"},
    "document": {"vocabulary"},
    "protocol": {"vocabulary"},
    "server": {"vocabulary", "engine", "document", "protocol", "plugins"},
    "plugins": {"vocabulary", "protocol"},
}
"""Who may import whom. `server` sees `plugins` only as the installer that the command line calls."""
HOST_MODULES = {"krita", "PyQt5", "PyQt6", "gi", "websockets"}
"""What plug-in and protocol code finds besides the standard library: its host, and the library that is copied beside it."""


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "acetate":
                yield from (f"acetate.{alias.name}" for alias in node.names)
            yield node.module


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_along_the_arrows(package: str) -> None:
    for path in files(package):
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("acetate.")}
        assert ours - {package} <= ARROWS[package], f"{path.relative_to(ROOT)} imports {ours - {package} - ARROWS[package]}"


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_imported_as_acetate_and_never_by_their_folder(package: str) -> None:
    """With the repository as working directory `import engine` would find a second copy."""
    for path in files(package):
        bare = {name.split(".")[0] for name in imports(path)} & set(PACKAGES)
        assert not bare, f"{path.relative_to(ROOT)} imports {bare}; write acetate.{'/'.join(bare)}"


@pytest.mark.parametrize("package", ["vocabulary", "protocol", "plugins"])
def test_plug_in_and_protocol_code_is_standard_library_only(package: str) -> None:
    for path in files(package):
        foreign = {name.split(".")[0] for name in imports(path)} - set(sys.stdlib_module_names) - HOST_MODULES - {"acetate"}
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
    assert found == listed


def test_there_is_no_folder_that_would_shadow_the_install() -> None:
    assert not (ROOT / "acetate").exists()


@pytest.mark.parametrize(
    "module", ["acetate.engine", "acetate.protocol.client", "acetate.plugins.install", "acetate.server.http.serve"]
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


def test_acceleration_is_imported_at_its_seam_alone_and_the_method_knows_neither_it_nor_devices() -> None:
    """Else `--acceleration eager` rules nothing out, and without the folder nothing works."""
    engine = ROOT / "engine"
    for path in (path for package in PACKAGES for path in files(package)):
        assert not [name for name in imports(path) if name.startswith("acetate.engine.acceleration")], path.relative_to(ROOT)
    for path in files("engine"):
        reached = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = path.parents[node.level - 1].relative_to(engine).parts
                inside = (*base, *(node.module or "").split(".")) if node.module else base
                reached |= {inside[0]} if inside else {alias.name for alias in node.names}
        room = path.relative_to(engine).parts[0]
        if room != "acceleration" and path != engine / "models" / "runtime.py":
            assert "acceleration" not in reached, f"{path.relative_to(ROOT)} imports acceleration"
        if room == "layerdiffuse":
            assert "device" not in reached, f"{path.relative_to(ROOT)} imports device"
