"""The small picture of a LoRA, asked of the server that an editor works with. Takes a moment: call it on a thread."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote

from acetate.protocol import ProtocolError
from acetate.protocol.client.server_requests import ask

from .server_address import present_server


def lora_preview(name: str) -> bytes | None:
    """The picture that lies beside the LoRA's file, as a JPEG; `None` where there is none, or no server answers."""
    address = present_server()
    if address is None:
        return None
    try:
        found = ask(address, f"/preview?lora={quote(name, safe='')}").get("base64")
        return base64.b64decode(found, validate=True) if isinstance(found, str) else None
    except (ProtocolError, binascii.Error):
        return None
