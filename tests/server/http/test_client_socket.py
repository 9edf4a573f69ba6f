from __future__ import annotations

import pytest
from acetate.server.http.client_socket import _frame_head
from websockets.frames import Frame, Opcode


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 1 << 20])
def test_a_frame_has_the_head_that_the_library_would_give_it(length: int) -> None:
    assert _frame_head(length) + bytes(length) == Frame(Opcode.BINARY, bytes(length)).serialize(mask=False)
