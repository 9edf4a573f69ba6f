"""`acetate plugin`: put the plug-ins into the editors, take them out, or pack them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from acetate.plugins.hosts import AFTERWARDS, HOSTS, KRITA, SWITCHED_ON, Host

from ..command_line import json_option
from ..command_line.exit_codes import UsageError

DONE = {"install": "installed in", "uninstall": "removed from", "link": "linked into"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what to do, and for which editor."""
    parser.add_argument("action", choices=("install", "uninstall", "zip", "link"))
    parser.add_argument("editor", choices=("krita", "gimp", "all"))
    parser.add_argument("--enable", action="store_true", help="Krita: also switch the plug-in on")
    parser.add_argument("-o", "--output", type=Path, default=Path(), metavar="DIR", help="zip: where to write (default: here)")
    json_option.add_option(parser)


def run(options: argparse.Namespace) -> int:
    """Do what the options ask for, and print where. Raises `UsageError` when that is not possible."""
    from acetate.plugins import install

    done: list[dict[str, str]] = []
    notes: list[str] = []
    hosts = list(HOSTS.values()) if options.editor == "all" else [HOSTS[options.editor]]
    try:
        if options.editor == "all" and options.action in ("install", "link"):
            hosts = _present(hosts, notes)
        for host in hosts:
            if options.action == "zip":
                if not options.output.is_dir():
                    raise UsageError(f"{options.output} is not a folder", "name the folder that the zip is to be written to")
                done.append({"editor": host.title, "file": str(install.zip_plugin(host, options.output))})
                continue
            if options.action == "uninstall":
                places = install.uninstall(host)
            else:
                places = install.install(host, link=options.action == "link", enable=options.enable)
            done += [{"editor": host.title, "folder": str(place.plugins)} for place in places]
    except install.InstallError as error:
        raise UsageError(str(error)) from error
    finally:
        json_option.tell(options, done, (_line(options, each) for each in done))
    if options.action in ("install", "link"):
        notes += [note for host in hosts for note in _next_steps(host, switched_on=options.enable)]
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    return 0


def _next_steps(host: Host, *, switched_on: bool) -> Iterator[str]:
    """What is left to do in the editor, in order."""
    steps = list(AFTERWARDS[host.name])
    if host is KRITA and not switched_on:
        steps[:1] = [f"in Krita switch it on: {SWITCHED_ON} (or install it with --enable while Krita does not run)"]
    yield from (f"{host.title}, {number}. {step}" for number, step in enumerate(steps, 1))


def _present(hosts: list[Host], notes: list[str]) -> list[Host]:
    """The editors that are there. Raises `UsageError` where none is."""
    from acetate.plugins.install import present

    there = [host for host in hosts if any(place.root.is_dir() for place in present(host))]
    notes += [f"{host.title} was not found: start it once, so that it creates its folder" for host in hosts if host not in there]
    if not there:
        raise UsageError("neither Krita nor GIMP was found", "start one once, so that it creates its folder, and install again")
    return there


def _line(options: argparse.Namespace, each: dict[str, str]) -> str:
    return each["file"] if "file" in each else f"{each['editor']}: {DONE[options.action]} {each['folder']}"
