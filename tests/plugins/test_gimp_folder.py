"""GIMP's memory of its plug-ins loses our entry, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate.plugins.gimp_folder import forget, without_plug_in

HEAD = "# a comment with (one bracket\n\n(protocol-version 277)\n(file-version 15)\n\n"
OTHER = (
    '(plug-in-def "${gimp_plug_in_dir}/plug-ins/web/web" 17\n    (proc-def "say" 1 "with \\"acetate-gimp/\\" and ) in it"))\n\n'
)
OURS = (
    '(plug-in-def "${gimp_dir}/plug-ins/acetate-gimp/acetate-gimp.py" 18\n'
    '    (proc-def "acetate-history" 1 "( unbalanced" (proc-arg 7)))\n\n'
)
NAMESAKE = '(plug-in-def "${gimp_dir}/plug-ins/my-acetate-gimp/my-acetate-gimp.py" 19)\n'


def test_our_entry_goes_and_every_other_byte_stays() -> None:
    text = HEAD + OTHER + OURS + NAMESAKE
    assert without_plug_in(text, "acetate-gimp") == HEAD + OTHER + "\n\n" + NAMESAKE


@pytest.mark.parametrize("text", ["", HEAD + OTHER, '(plug-in-def "/acetate-gimp/x" 1', ")(", HEAD + NAMESAKE])
def test_what_is_not_ours_or_not_whole_is_left_alone(text: str) -> None:
    assert without_plug_in(text, "acetate-gimp") == text


def test_windows_paths_are_known() -> None:
    assert without_plug_in('(plug-in-def "C:\\\\x\\\\acetate-gimp\\\\acetate-gimp.py" 1)', "acetate-gimp") == ""


def test_the_file_is_changed_in_place_whatever_bytes_it_holds(tmp_path: Path) -> None:
    forget(tmp_path, "acetate-gimp")
    path = tmp_path / "pluginrc"
    path.write_bytes(OURS.encode() + b'(x "\xff\xfe")')
    forget(tmp_path, "acetate-gimp")
    assert path.read_bytes() == b'\n\n(x "\xff\xfe")'
    assert [one.name for one in tmp_path.iterdir()] == ["pluginrc"]
