"""One tiny Qwen-Image-2.1 for all tests, and one that was distilled to eight steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .tiny_qwen import TinyQwen


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyQwen:
    """Do not change its weights."""
    from .tiny_qwen import TinyQwen

    return TinyQwen(tmp_path_factory.mktemp("models") / "tiny-qwen").write()


@pytest.fixture(scope="session")
def turbo(tmp_path_factory: pytest.TempPathFactory) -> TinyQwen:
    from .tiny_qwen import TinyQwen

    return TinyQwen(tmp_path_factory.mktemp("models") / "tiny-turbo").write(turbo=True)
