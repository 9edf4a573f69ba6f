from __future__ import annotations

import ast
import importlib
import io
from pathlib import Path

import pytest
from acetate.protocol import Box, Failed, Failure, Layer, Parameters, Progress
from acetate.protocol.frames import PreviewFrame
from acetate.protocol.messages import Export, File, Insert, Submit
from acetate.server.worker import worker_messages

LAYER = Layer(
    "0123456789", 0, "a kite", "foreground", 0, 0, 1, 1, Box(0, 0, 1, 1), "rgba8", 4, "0" * 64, parameters={"a": [1.5, None]}
)


@pytest.mark.parametrize(
    ("report", "payload"),
    [
        (worker_messages.Beat(), b""),
        (worker_messages.Made(LAYER, "file", 2, 1), b"12345678"),
        (Failed("0123456789", Failure("internal", "é")), b"Traceback"),
        (Progress("0123456789", "denoise", 1, 20, 0.05), b""),
        (worker_messages.MadeFile(File("0123456789", "kite.psd", 4, "0" * 64, ("no masks",)), "file"), b""),
        (PreviewFrame("0123456789", 1, 1, 4), b"\0\xff\0\xff"),
    ],
)
def test_a_report_survives_the_pipe(report: worker_messages.Report, payload: bytes) -> None:
    body = worker_messages.read_body(io.BytesIO(worker_messages.pack(report, payload)))

    assert body is not None and worker_messages.unpack_report(body) == (report, payload)


@pytest.mark.parametrize(
    "order",
    [
        Submit("0123456789", "foreground", Parameters(prompt="a kite"), keep=False),
        Insert("0123456789", "0" * 64, "psd", x=-3),
        Export("0123456789", ("9876543210",), "ora", width=4),
    ],
)
def test_a_command_survives_the_pipe(order: Submit | Insert | Export) -> None:
    command = worker_messages.RunJob(order, {"0" * 64: {"path": "/x", "width": None}}, (LAYER,))
    body = worker_messages.read_body(io.BytesIO(worker_messages.pack(command)))

    assert body is not None and worker_messages.unpack_command(body) == command


def test_the_end_of_the_pipe_is_the_end() -> None:
    whole = worker_messages.pack(worker_messages.Beat())
    assert worker_messages.read_body(io.BytesIO(b"")) is None
    assert worker_messages.read_body(io.BytesIO(whole[:-1])) is None


def test_a_pipe_out_of_step_is_noticed() -> None:
    with pytest.raises(EOFError, match="out of step"):
        worker_messages.body_length(b"\xff\xff\xff\xff")


@pytest.mark.parametrize("package", ["protocol", "server"])
def test_nothing_is_pickled(package: str) -> None:
    """Whoever unpickles runs what the sender likes. `multiprocessing` pickles what it sends."""
    folder = Path(importlib.import_module(f"acetate.{package}").__file__ or "").parent
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found = {name.split(".")[0] for name in names} & {"pickle", "marshal", "shelve", "multiprocessing", "joblib"}
            assert not found, f"{path} imports {found}"
