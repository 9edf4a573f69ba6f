"""Who may come in: the tokens with names, each for a person, in a file of their own. Knows their digests; keeps no token.

The file is read again whenever it has changed, so that a running server knows at once who was added and who was revoked.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from acetate.protocol.proof import digest_of, fingerprint

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
NAME_RULE = "1 to 32 letters, digits, '.', '-' and '_', the first a letter or digit"


class TokenError(Exception):
    """A name cannot be taken, or the file of tokens cannot be read; the message says what would be right."""


@dataclass(frozen=True)
class Person:
    """Whom a connection belongs to. An admin sees everybody's jobs, others their own."""

    name: str
    admin: bool = False


LOCAL = Person("local", admin=True)
"""Whoever can read the server's state file, and comes with the token in it."""


@dataclass(frozen=True)
class NamedToken:
    """A token as it is kept: `sha256` is its digest, `added` the day in ISO form."""

    name: str
    sha256: str
    admin: bool
    added: str

    @property
    def person(self) -> Person:
        return Person(self.name, self.admin)


class Tokens:
    """The tokens with names of one server's folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._tokens: dict[str, NamedToken] = {}

    def all(self) -> Mapping[str, NamedToken]:
        """The tokens by their names, as the file has them now. Raises `TokenError` for a file that cannot be read."""
        try:
            state = self._path.stat()
            seen = (state.st_mtime_ns, state.st_size, state.st_ino)
            if seen != self._seen:
                self._tokens, self._seen = _read(self._path), seen
        except FileNotFoundError:
            self._tokens, self._seen = {}, None
        except OSError as error:
            raise TokenError(f"{self._path} cannot be read: {error.strerror}") from error
        return self._tokens

    def find(self, digest: str) -> Person | None:
        """Whose token has this digest."""
        return next((kept.person for kept in self.all().values() if secrets.compare_digest(kept.sha256, digest)), None)

    def digest(self, asked: str) -> str | None:
        """The digest of the token with this fingerprint."""
        return next((kept.sha256 for kept in self.all().values() if fingerprint(kept.sha256) == asked), None)

    def add(self, name: str, *, admin: bool = False) -> str:
        """Make a token for a person and return it: 256 random bits, shown this once. Raises `TokenError`."""
        tokens = dict(self.all())
        if not NAME.fullmatch(name):
            raise TokenError(f"{name!r} cannot be a token's name; it must be {NAME_RULE}")
        if name.lower() == LOCAL.name:
            raise TokenError(f"{name!r} is whoever reads the server's own state file; choose another name")
        if (taken := next((other for other in tokens if other.lower() == name.lower()), None)) is not None:
            raise TokenError(f"{taken!r} has a token already; revoke it first to replace it: acetate token revoke {taken}")
        token = secrets.token_hex(32)
        tokens[name] = NamedToken(name, digest_of(token), admin, date.today().isoformat())
        self._write(tokens)
        return token

    def revoke(self, name: str) -> None:
        """Forget a person's token. Raises `TokenError` for a name that has none."""
        tokens = dict(self.all())
        if tokens.pop(name, None) is None:
            known = ", ".join(sorted(tokens)) or "nobody has one"
            raise TokenError(f"{name!r} has no token; names that have: {known}")
        self._write(tokens)

    def _write(self, tokens: Mapping[str, NamedToken]) -> None:
        """Replace the file by one that only its owner can read, and which is never half-written."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self._path.with_suffix(f".{os.getpid()}")
        temporary.unlink(missing_ok=True)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump([asdict(token) for token in tokens.values()], file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._path)


def _read(path: Path) -> dict[str, NamedToken]:
    try:
        kept = [NamedToken(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        raise TokenError(f"{path} is not a list of tokens: {error}. Restore it, or move it away and add them again.") from error
    for token in kept:
        if not _is_right(token):
            raise TokenError(f"{path} has a wrong entry for {token.name!r}. Restore it, or move it away and add them again.")
    return {token.name: token for token in kept}


def _is_right(token: NamedToken) -> bool:
    named = isinstance(token.name, str) and NAME.fullmatch(token.name) and token.name.lower() != LOCAL.name
    digest = isinstance(token.sha256, str) and re.fullmatch("[0-9a-f]{64}", token.sha256)
    return bool(named and digest) and isinstance(token.admin, bool) and isinstance(token.added, str)
