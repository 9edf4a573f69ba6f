"""Who is known by which token, and who is here. Knows tokens and open connections; knows no message."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

from acetate.protocol import proof
from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode

from ..settings import Settings
from .fair_share import leaves_as_much
from .tokens import LOCAL, Person, TokenError, Tokens

log = logging.getLogger(__name__)

REVOKED = "the token was revoked"


class People:
    """Those who may come in: the person of the state file's own token, and those of the tokens with names.

    `connections` are all that are open.
    """

    def __init__(
        self, settings: Settings, token: str, tokens: Tokens, connections: Callable[[], Iterable[ServerConnection]]
    ) -> None:
        self._settings, self._tokens, self._connections = settings, tokens, connections
        self._own = proof.digest_of(token)
        self._persons: WeakKeyDictionary[ServerConnection, Person] = WeakKeyDictionary()
        self._complaint = ""

    def who(self, token: str) -> Person | None:
        """Whose token this is; `None` for nobody's."""
        digest = proof.digest_of(token)
        if hmac.compare_digest(digest, self._own):
            return LOCAL
        try:
            return self._tokens.find(digest)
        except TokenError as error:
            self._complain(error)
            return None

    def proof(self, challenge: str) -> str | None:
        """The answer to a challenge about one of the tokens; `None` for one that is not known, or no challenge at all."""
        if (asked := proof.FORM.fullmatch(challenge)) is None:
            return None
        if hmac.compare_digest(asked[2], proof.fingerprint(self._own)):
            return proof.proof(self._own, challenge)
        try:
            digest = self._tokens.digest(asked[2])
        except TokenError as error:
            self._complain(error)
            return None
        return proof.proof(digest, challenge) if digest is not None else None

    def has_room(self, person: Person) -> bool:
        """Whether another connection of the person fits, with as much left for others as the person then has already."""
        here = Counter(self.of(connection).name for connection in self._connections())
        mine, settings = here[person.name], self._settings
        return mine < settings.connections_per_person and leaves_as_much(1, mine, here.total(), settings.connections)

    def let_in(self, connection: ServerConnection, person: Person) -> None:
        """Note whose connection it is."""
        self._persons[connection] = person

    def of(self, connection: ServerConnection) -> Person:
        """Whose connection it is, once it has been let in."""
        return self._persons[connection]

    async def watch(self) -> None:
        """End the connections of persons whose token is revoked, or whose rights change, until this task is cancelled."""
        while True:
            await asyncio.sleep(self._settings.tokens_seconds)
            await self.expel()

    async def expel(self) -> None:
        """End the connections of persons who are not known any more."""
        try:
            known = {LOCAL, *(token.person for token in self._tokens.all().values())}
        except TokenError as error:
            self._complain(error)
            return
        gone = [connection for connection in self._connections() if self.of(connection) not in known]
        for connection in gone:
            log.info("expelled", extra={"person": self.of(connection).name})
        await asyncio.gather(*(connection.close(CloseCode.POLICY_VIOLATION, REVOKED) for connection in gone))

    def _complain(self, error: TokenError) -> None:
        """Say once what is wrong with the file of tokens: nobody new comes in with one, whoever is here stays."""
        if str(error) != self._complaint:
            self._complaint = str(error)
            log.error("the tokens cannot be read", extra={"reason": self._complaint})
