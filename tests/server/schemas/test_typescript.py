from __future__ import annotations

from pathlib import Path

import pytest
from acetate.server.schemas import typescript

WRITTEN = Path(__file__).parents[3] / "examples" / "typescript" / "messages.ts"


def test_the_examples_types_are_those_of_the_messages() -> None:
    """If not: acetate protocol --schema typescript > examples/typescript/messages.ts"""
    assert WRITTEN.read_text(encoding="utf-8") == typescript.document()


@pytest.mark.parametrize(
    "line",
    [
        '  type: "submit";',
        "  parameters?: Parameters;",
        "  seed?: number | bigint;",
        "  index: number;",
        "  loras?: [string, number, number?, number[]?][];",
        '  priority?: "normal" | "front" | "replace";',
        "  source?: Placed | null;",
        "  quality?: Record<string, number>;",
        "  models?: Record<string, unknown>[];",
        "  box?: Box | null;",
        "export type HeaderFromClient =\n  | UploadPart;",
    ],
)
def test_each_kind_of_field_has_its_type(line: str) -> None:
    assert line in typescript.document()
