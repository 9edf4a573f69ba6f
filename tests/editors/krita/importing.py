"""Krita's own *Import Python Plugin from File* with the zip that `acetate plugin zip krita` writes."""

from desk import OUT
from pieces import claim


@claim
def krita_imports_the_zip():
    import tempfile

    from plugin_importer.plugin_importer import PluginImporter

    with tempfile.TemporaryDirectory() as folder:
        (archive,) = OUT.parent.glob("acetate-krita-*.zip")
        found = PluginImporter(str(archive), folder, lambda plugin: True).import_all()
        assert [plugin["name"] for plugin in found] == ["acetate"], found
        from pathlib import Path

        there = Path(folder)
        assert (there / "pykrita/acetate/__init__.py").is_file()
        assert (there / "pykrita/acetate/acetate.zip").is_file()
        assert (there / "pykrita/acetate.desktop").is_file()
        assert (there / "actions/acetate.action").is_file()
    yield 0
