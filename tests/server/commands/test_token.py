"""`acetate token`: the token alone on standard output, and whoever has one in a list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from acetate.protocol.proof import digest_of
from acetate.server.people.tokens import Person, Tokens

Command = Callable[..., Any]


def test_a_token_is_printed_alone_so_that_a_script_can_take_it(acetate: Command, tmp_path: Path) -> None:
    done = acetate("token", "add", "anna", "--admin")
    (token,) = done.out.splitlines()

    assert done.code == 0 and "ACETATE_TOKEN" in done.err and token not in done.err
    assert Tokens(tmp_path / "home/tokens.json").find(digest_of(token)) == Person("anna", admin=True)


def test_who_has_a_token_is_listed_and_can_be_sent_away(acetate: Command) -> None:
    acetate("token", "add", "ben")
    acetate("token", "add", "anna", "--admin")
    assert [line.split()[:2] for line in acetate("token").out.splitlines()] == [["anna", "admin"], ["ben", "person"]]
    assert [row["name"] for row in json.loads(acetate("token", "list", "--json").out)] == ["anna", "ben"]
    assert acetate("token", "revoke", "anna").code == 0
    assert [line.split()[0] for line in acetate("token", "list").out.splitlines()] == ["ben"]


def test_a_name_that_cannot_be_is_wrong_usage_and_named(acetate: Command) -> None:
    for words in (("add", "local"), ("add", "a b"), ("revoke", "nobody")):
        done = acetate("token", *words)
        assert done.code == 2 and repr(words[1]) in done.err
