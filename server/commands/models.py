"""`acetate models`: what is installed, where else to search, and what can be downloaded."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from acetate.engine import builtin
from acetate.engine.checkpoints.prediction import PREDICTIONS
from acetate.engine.families import BASE_FAMILIES, SKETCHPAD
from acetate.engine.files import catalogue
from acetate.engine.files.catalogue import CatalogueRow
from acetate.engine.files.installed import Installed
from acetate.engine.files.library import PROGRAMS, Library
from acetate.engine.values.errors import ModelBroken
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from ..command_line import json_option
from ..command_line.exit_codes import UsageError

_FAMILIES = " or ".join(BASE_FAMILIES)
DIFFERS = "it differs from what was published"
CHANGED = "it differs from what was first used"
UNCHECKED = "unchecked: the catalogue has no checksum of it, and it was not used yet"
ADDITIONS = ("lora", "embedding")
"""Roles of files that artists add to a model: what they are is listed with them."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add one word that says what to do; without it, everything is listed."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="what is installed, and what the catalogue knows")
    add = actions.add_parser("add", help=f"also search a folder or file where it is ({PROGRAMS}; any other, too)")
    add.add_argument("path", type=Path)
    remove = actions.add_parser("remove", help="stop searching a folder that was added; nothing is deleted")
    remove.add_argument("path", type=Path)
    pull = actions.add_parser("pull", help=f"download a file of the catalogue, or {_FAMILIES} for what a family needs")
    pull.add_argument("name")
    pull.add_argument("--accept-licence", action="store_true", help="accept the licences without being asked")
    tell = actions.add_parser("set", help="say what a checkpoint predicts or that it is distilled, against what its file says")
    tell.add_argument("name")
    tell.add_argument("--prediction", choices=(*PREDICTIONS, "auto"), help="auto is what the file says")
    tell.add_argument("--distilled", choices=("yes", "no", "auto"), help="made for few steps; auto is what its file says")
    actions.add_parser("verify", help="compare files with the catalogue's checksums, and look through LoRAs and embeddings")
    json_option.add_option(parser, actions.choices.values())


def run(options: argparse.Namespace) -> int:
    """Do what the options ask for. Raises `UsageError` when the catalogue or the person has no answer."""
    actions: dict[str, Callable[[argparse.Namespace, Library], int]] = {
        "add": _add,
        "remove": _remove,
        "pull": _pull,
        "set": _set,
        "verify": _verify,
    }
    return actions.get(options.action or "list", _list)(options, Library())


def _list(options: argparse.Namespace, library: Library) -> int:
    installed = library.installed()
    missing = [row for row in catalogue.preferred() if not any(one.row == row for one in installed)]
    if options.json:
        built_in = {"name": builtin.NAME, "role": "checkpoint", "family": SKETCHPAD.name, "path": str(builtin.FOLDER)}
        rows = [built_in, *({**one.described, "path": str(one.path)} for one in installed)]
        print(json.dumps({"installed": rows, "catalogue": [_row(row) for row in missing]}, indent=2))
        return 0
    print(f"{builtin.NAME:32} checkpoint    built in")
    for one in installed:
        print(f"{one.name:32} {one.kind.role:13} {one.family or '':10} {one.path}  {_remark(one)}")
    for folder in library.folders():
        print(f"also searched: {folder}")
    if missing:
        print(f"\ncan be downloaded with `acetate models pull NAME` ({_FAMILIES} brings what a family needs):")
        for row in missing:
            print(f"{row.name:42} {_size(row):>9}  {row.licence}")
    return 0


def _remark(one: Installed) -> str:
    return f"{one.verdict} ({one.hint})" if one.problem and one.hint else one.verdict


def _row(row: CatalogueRow) -> dict[str, Any]:
    return {"name": row.name, "family": row.family, "role": row.role, "bytes": row.bytes, "licence": row.licence, "url": row.url}


def _size(row: CatalogueRow) -> str:
    return f"{row.bytes / 1e6:,.0f} MB" if row.bytes else ""


def _add(options: argparse.Namespace, library: Library) -> int:
    found = library.add(options.path)
    usable = [one for one in found if not one.problem]
    lines = [f"{options.path}: {len(usable)} models"]
    lines += [f"  {one.path.name}: {_remark(one)}" for one in found if one.problem or one.kind.caution]
    files = [{**one.described, "path": str(one.path)} for one in found]
    json_option.tell(options, {"added": str(options.path), "files": files}, lines)
    return 0


def _remove(options: argparse.Namespace, library: Library) -> int:
    library.remove(options.path)
    json_option.tell(options, {"removed": str(options.path)}, [f"{options.path} is no longer searched"])
    return 0


def _set(options: argparse.Namespace, library: Library) -> int:
    if options.prediction is None and options.distilled is None:
        raise UsageError("nothing is said of the checkpoint", "add --prediction v or --distilled yes, for example")
    distilled = {"yes": True, "no": False}.get(options.distilled, options.distilled)
    one = library.tell(options.name, predicts=options.prediction, distilled=distilled)
    line = f"{one.name} is {one.kind.what}{', distilled to few steps' if one.kind.distilled else ''}"
    json_option.tell(options, one.described, [line])
    return 0


def _pull(options: argparse.Namespace, library: Library) -> int:
    from acetate.engine.downloads.hub import pull

    rows = catalogue.named(options.name)
    if not rows:
        raise UsageError(f"the catalogue has no {options.name!r}", "see `acetate models` for the names")
    pulled = []
    for row in rows:
        with _bar(row.file) as progressed:
            pulled.append(str(pull(row, library.models, _consent(options), progressed)))
        if not options.json:
            print(pulled[-1])
    json_option.tell(options, {"files": pulled}, ())
    return 0


def _consent(options: argparse.Namespace) -> Callable[[CatalogueRow], bool]:
    """Show the licence; ask where someone can answer."""

    out = sys.stderr if options.json else sys.stdout

    def ask(row: CatalogueRow) -> bool:
        known = ", ".join((_size(row) or "size unknown", *(() if row.sha256 else ("unchecked: no checksum known",))))
        print(f"{row.file} ({known}) from {row.url}, licence {row.licence}: {row.licence_url}", file=out)
        if options.accept_licence:
            return True
        if not sys.stdin.isatty():
            raise UsageError(f"the licence {row.licence} must be accepted first", "read it, then add --accept-licence")
        print("Accept this licence? [y/N] ", end="", file=out, flush=True)
        return input().strip().lower() in ("y", "yes")

    return ask


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar for one download."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _verify(options: argparse.Namespace, library: Library) -> int:
    """Hash every file that the catalogue knows or that was used before, and look through LoRAs and embeddings.

    Raises `ModelBroken`.
    """
    looked: list[dict[str, str | bool]] = []
    for path, problem in (*_damaged(library), *_changed(library), *_not_finite(library)):
        looked.append({"path": str(path), "good": not problem, "problem": problem})
        if not options.json:
            print(f"{'BAD' if problem else 'ok '} {path}{f': {problem}' if problem else ''}")
    unchecked = _unchecked(library, {str(each["path"]) for each in looked})
    if not options.json:
        print("".join(f"--  {path}: {UNCHECKED}\n" for path in unchecked), end="")
    wrong, other = ([Path(str(each["path"])).name for each in looked if each["problem"] == why] for why in (DIFFERS, CHANGED))
    broken = [Path(str(each["path"])).name for each in looked if each["problem"] not in ("", DIFFERS, CHANGED)]
    good = [f"every {'other' if unchecked else 'known'} file is what was published or first used"]
    json_option.tell(options, {"files": looked, "unchecked": unchecked}, () if wrong or other or broken else good)
    if wrong:
        raise ModelBroken(f"{', '.join(wrong)} differ from what was published", "delete and pull them again")
    if other:
        raise ModelBroken(f"{', '.join(other)} differ from what was first used", "download them again, unless you exchanged them")
    if broken:
        raise ModelBroken(f"{', '.join(broken)} hold NaN or infinity", "download them again, or choose other versions")
    return 0


def _changed(library: Library) -> Iterator[tuple[Path, str]]:
    """Files that were used before, each with whether its content is another now."""
    known = {one.path for one in library.installed() if one.row is not None and one.row.sha256}
    yield from ((path, CHANGED if other else "") for path, other in library.first_use.differing() if path not in known)


def _damaged(library: Library) -> Iterator[tuple[Path, str]]:
    """Files that the catalogue has a checksum of, each with what is wrong with it."""
    from acetate.engine.downloads.hub import is_intact

    for one in library.installed():
        if one.row is not None and one.row.sha256 and one.path.is_file():
            yield one.path, "" if is_intact(one.path, one.row) else DIFFERS


def _unchecked(library: Library, looked: set[str]) -> list[str]:
    """Files of the catalogue that were compared with nothing."""
    rows = ((str(one.path), one.row) for one in library.installed())
    return [path for path, row in rows if row is not None and row.sha256 is None and path not in looked]


def _not_finite(library: Library) -> Iterator[tuple[Path, str]]:
    """LoRAs and embeddings, each with what would show only in a picture."""
    for one in library.installed():
        if one.kind.role in ADDITIONS and not one.kind.problem:
            from acetate.engine.weights.finite import check_finite  # imports torch

            try:
                check_finite(one.path)
                yield one.path, ""
            except ModelBroken as error:
                yield one.path, str(error)
