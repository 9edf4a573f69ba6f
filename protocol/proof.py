"""How a server proves that it knows a client's token before it is told anything. Knows hashes; knows no socket and no file.

A state file may be left over from a killed server, and whoever listens on its port now would be sent the token and every prompt.
So a client first asks `GET /healthz` with a challenge in the header `Acetate-Challenge`, and compares the header `Acetate-Proof`
of the answer.
Only a digest of a token is needed for it, which is all that a server keeps of the tokens with names.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

CHALLENGE, ANSWER = "Acetate-Challenge", "Acetate-Proof"
"""The headers of a question and of its answer."""
FORM = re.compile(r"([0-9a-f]{64}) ([0-9a-f]{16})")
"""What the header says: a random number, and the fingerprint of the token that is asked for."""


def digest_of(token: str) -> str:
    """The SHA-256 of a token, in 64 hexadecimal digits: what a server keeps of it."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def fingerprint(digest: str) -> str:
    """16 hexadecimal digits that tell a server which of its tokens is meant, and a stranger nothing."""
    return hashlib.sha256(bytes.fromhex(digest)).hexdigest()[:16]


def challenge(token: str) -> str:
    """A question, new each time, that only who knows the token, or its digest, can answer."""
    return f"{secrets.token_hex(32)} {fingerprint(digest_of(token))}"


def proof(digest: str, challenge: str) -> str:
    """The answer to a challenge, in 64 hexadecimal digits."""
    return hmac.new(bytes.fromhex(digest), challenge.encode(), hashlib.sha256).hexdigest()


def is_proof(answer: object, token: str, challenge: str) -> bool:
    """Whether this is the right answer to a challenge."""
    return isinstance(answer, str) and hmac.compare_digest(answer.encode(), proof(digest_of(token), challenge).encode())
