import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from acetate.plugins.bridge.forms import lora_previews
from acetate.plugins.bridge.forms.lora_previews import lora_preview
from acetate.protocol import Address, ProtocolError


@pytest.fixture
def server(monkeypatch):
    """What the server has beside its LoRAs, by name."""
    pictures = {}

    def ask(address, page):
        name = parse_qs(urlsplit(page).query)["lora"][0]
        if name not in pictures:
            raise ProtocolError("forbidden", "404")
        return {"base64": pictures[name]}

    monkeypatch.setattr(lora_previews, "ask", ask)
    monkeypatch.setattr(lora_previews, "present_server", lambda: Address("ws://x/", "t"))
    return pictures


def test_a_picture_comes_by_the_loras_name_whatever_that_is(server):
    server["ink & wash/ä?"] = base64.b64encode(b"a picture").decode()
    assert lora_preview("ink & wash/ä?") == b"a picture"


def test_without_a_picture_or_with_something_else_in_its_place_there_is_none(server):
    server |= {"broken": "***", "number": 7}
    assert lora_preview("none") is lora_preview("broken") is lora_preview("number") is None


def test_without_a_server_nobody_is_asked(monkeypatch):
    monkeypatch.setattr(lora_previews, "present_server", lambda: None)
    assert lora_preview("x") is None
