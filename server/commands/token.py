"""`acetate token`: let persons in by tokens of their own, list them, send them away."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from acetate.protocol import running_server

from ..command_line import json_option
from ..command_line.exit_codes import UsageError
from ..people.tokens import TokenError, Tokens
from ..settings import DEFAULT_PORT, Settings


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add one word that says what to do; without it, everybody is listed."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    add = actions.add_parser("add", help="make a token for a person and print it, this once; a running server takes it at once")
    add.add_argument("name")
    add.add_argument("--admin", action="store_true", help="the person may see and stop everybody's jobs")
    actions.add_parser("list", help="who has a token")
    revoke = actions.add_parser("revoke", help="forget a person's token; a running server ends their connections, not their jobs")
    revoke.add_argument("name")
    json_option.add_option(parser, actions.choices.values())


def run(options: argparse.Namespace) -> int:
    """Do what the options ask for. Raises `UsageError` for a name that cannot be taken, or a file that cannot be read."""
    actions: dict[str, Callable[[argparse.Namespace, Tokens], int]] = {"add": _add, "list": _list, "revoke": _revoke}
    try:
        return actions[options.action or "list"](options, Tokens(Settings().tokens))
    except TokenError as error:
        raise UsageError(str(error)) from error


def _add(options: argparse.Namespace, tokens: Tokens) -> int:
    token = tokens.add(options.name, admin=options.admin)
    json_option.tell(options, {"name": options.name, "admin": options.admin, "token": token}, [token])
    running = running_server()
    url = running.address.url if running else f"ws://127.0.0.1:{DEFAULT_PORT}/"
    print(
        f"This is {options.name}'s token; it is kept nowhere and cannot be shown again. Where the editor or script runs, set\n"
        f"ACETATE_TOKEN to it, and ACETATE_URL to the server's address as it is reached from there, such as {url}",
        file=sys.stderr,
    )
    return 0


def _list(options: argparse.Namespace, tokens: Tokens) -> int:
    rows = sorted(tokens.all().values(), key=lambda token: token.name.lower())
    lines = [f"{row.name:<32} {'admin' if row.admin else 'person':<7} since {row.added}" for row in rows]
    nobody = ["Nobody has a token with a name. Add one: acetate token add NAME"]
    json_option.tell(options, [{"name": row.name, "admin": row.admin, "added": row.added} for row in rows], lines or nobody)
    return 0


def _revoke(options: argparse.Namespace, tokens: Tokens) -> int:
    tokens.revoke(options.name)
    line = f"{options.name}'s token is revoked. Their jobs stay; an admin can discard them."
    json_option.tell(options, {"revoked": options.name}, [line])
    return 0
