"""`acetate plugin`: put the plug-ins into the editors, take them out, or pack them."""

from __future__ import annotations

import argparse
from pathlib import Path

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
    from acetate.plugins.hosts import HOSTS

    done: list[dict[str, str]] = []
    hosts = list(HOSTS.values()) if options.editor == "all" else [HOSTS[options.editor]]
    try:
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
    return 0


def _line(options: argparse.Namespace, each: dict[str, str]) -> str:
    return each["file"] if "file" in each else f"{each['editor']}: {DONE[options.action]} {each['folder']}"
