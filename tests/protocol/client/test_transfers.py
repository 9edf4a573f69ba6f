from __future__ import annotations

import pytest
from acetate.protocol import Image, pixels
from acetate.protocol.client.transfers import announce


def test_a_content_is_hashed_once_and_announced_by_the_name_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Image(2, 1, "rgba8", bytes(range(8)))
    first = announce(picture)
    monkeypatch.setattr(pixels, "content_hash", None)

    assert announce(picture, first.sha256) == first
    with pytest.raises(TypeError):
        announce(picture)
