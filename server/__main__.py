"""The command `acetate`: one subcommand a file in `commands/`; nothing heavy is imported before a command runs."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Sequence

from .command_line.parser import Parser

COMMANDS = {
    "generate": "make a transparent layer from a prompt",
    "serve": "answer the editors' plug-ins and scripts",
    "token": "let persons in by tokens of their own",
    "status": "say whether a server runs here, and what it does",
    "jobs": "list the server's jobs, or cancel some",
    "stop": "end the running server once its job is over",
    "restart": "end it and start it again with the same options",
    "edit": "change a picture as an instruction says",
    "extract": "cut a subject out of a picture",
    "decompose": "take a picture apart into layers",
    "upscale": "enlarge a transparent layer without fringes",
    "layers": "list or extract the layers of a PSD or OpenRaster file",
    "convert": "turn a layered file into another format",
    "watch": "make the layers that the files of a folder ask for",
    "models": "list, add, download, verify and remove models",
    "plugin": "install the plug-ins for Krita and GIMP",
    "protocol": "print the messages of the websocket as a schema",
    "doctor": "report what works here, what does not, and how to fix it",
    "bench": "measure this machine",
    "demo": "make a few layers and a picture of them",
    "completion": "let a shell complete commands and options",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 done, 1 failed, 2 wrong usage."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        _as_program()
    if words[:1] in (["help"], ["version"]):  # said to many programs, and meant so
        words = [*words[1:], f"--{words[0]}"]
    completing = os.environ.get("COMP_LINE", "").split()[1:] if "_ARGCOMPLETE" in os.environ else None
    chosen = next((word for word in (words if completing is None else completing) if not word.startswith("-")), None)
    parser = _parser(chosen)
    if completing is not None:
        import argcomplete

        argcomplete.autocomplete(parser)
    options = parser.parse_args(words)
    if not hasattr(options, "run"):
        parser.print_help()
        return 2
    from .command_line.exit_codes import reported

    return reported(options)


def _as_program() -> None:
    """Being terminated is an orderly end, and half-written files go; text that a terminal cannot show is no reason to stop."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # not a terminal's or a file's
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


class _Version(argparse.Action):
    """argparse's own would look the version up for every command, which takes a tenth of a refusal's time."""

    def __call__(self, parser: argparse.ArgumentParser, *given: object) -> None:
        from importlib import metadata

        print(f"acetate {metadata.version('acetate')}")
        parser.exit()


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """All commands by name, but only the chosen one with its options: the others' modules are not imported."""
    parser = Parser(prog="acetate", description="Transparent layers, generated inside Krita and GIMP.")
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="show program's version number and exit")
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if name == chosen:
            module = importlib.import_module(f".commands.{name}", __package__)
            module.add_options(command)
            command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
