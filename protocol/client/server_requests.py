"""One question to a server over plain HTTP: is it there, how is it, would it stop. Knows HTTP and the token, no protocol."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.parse
from typing import Any

from ..errors import ProtocolError
from ..home import Address

ANSWER_SECONDS = 10.0


def ask(address: Address, page: str, *, method: str = "GET", timeout: float = ANSWER_SECONDS) -> dict[str, Any]:
    """What the server answers at a page such as `/healthz`, below the path of its URL. The token goes along; no proxy is asked.

    Raises `ProtocolError`: `connection-lost` when nothing answers, `unauthorized` or `forbidden` when it refuses.
    """
    where = urllib.parse.urlsplit(address.url)
    if where.scheme == "wss":
        context = ssl.create_default_context(cafile=address.cafile)
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(where.netloc, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(where.netloc, timeout=timeout)
    try:
        connection.request(method, where.path.rstrip("/") + page, headers={"Authorization": f"Bearer {address.token}"})
        response = connection.getresponse()
        text = response.read()
    except (OSError, http.client.HTTPException) as error:
        said = str(error) or type(error).__name__
        raise ProtocolError("connection-lost", f"no answer from {address.url}: {said}", "Is `acetate serve` running?") from None
    finally:
        connection.close()
    if response.status == 401:
        raise ProtocolError("unauthorized", f"{address.url} refused the token (401)", "Restart the server: acetate serve")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if response.status >= 400 or not isinstance(answer, dict):
        said = text.decode(errors="replace").strip()[:200]
        raise ProtocolError("forbidden", f"{address.url} answered HTTP {response.status} to {page}: {said}")
    return answer
