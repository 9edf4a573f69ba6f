"""What a worker process and the server say to each other over a pipe: a length, a JSON header, a payload. No pickle.

Knows the words and their envelope; runs nothing. Both ends are ours and of one version, so nothing is negotiated.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar

from acetate.protocol import Failure, Layer, schema

MAX_REPORT_BYTES = 64 << 20
"""A description of an engine with thousands of models stays far below; more means that the pipe is out of step."""


# --- server to worker ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunJob:
    """Start a job. Its pictures lie in files."""

    TYPE: ClassVar[str] = "run"
    job: str
    kind: str
    """`submit`, `insert` or `export`."""
    message: Mapping[str, Any]
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By content id: `path`, `format`, `width`, `height`."""
    layers: tuple[Mapping[str, Any], ...] = ()
    """`export`: the layers to write, lowest first."""


@dataclass(frozen=True)
class Stop:
    """Cancel the job between two steps."""

    TYPE: ClassVar[str] = "stop"
    job: str


@dataclass(frozen=True)
class Unload:
    """Free the models' memory."""

    TYPE: ClassVar[str] = "unload"


@dataclass(frozen=True)
class Describe:
    """Say `ready` again: models may have been added."""

    TYPE: ClassVar[str] = "describe"


@dataclass(frozen=True)
class Preload:
    """Load a model before anybody asks for it."""

    TYPE: ClassVar[str] = "preload"
    model: str


# --- worker to server ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Beat:
    """Sent every second by a thread of its own: the process lives and its interpreter runs."""

    TYPE: ClassVar[str] = "beat"


@dataclass(frozen=True)
class Ready:
    """The engine is there."""

    TYPE: ClassVar[str] = "ready"
    device: str
    description: Mapping[str, Any]


@dataclass(frozen=True)
class Advanced:
    """A step is done."""

    TYPE: ClassVar[str] = "advanced"
    job: str
    stage: str
    step: int
    steps: int
    fraction: float


@dataclass(frozen=True)
class Sketch:
    """A preview; the payload is `width * height` RGBA pixels."""

    TYPE: ClassVar[str] = "sketch"
    job: str
    width: int
    height: int


@dataclass(frozen=True)
class Made:
    """A finished layer; its pixels (`rgba8`) lie in the file `name` of the incoming folder. The payload is a thumbnail."""

    TYPE: ClassVar[str] = "made"
    layer: Layer
    name: str
    thumbnail_width: int = 0
    thumbnail_height: int = 0


@dataclass(frozen=True)
class MadeFile:
    """An exported file; its bytes lie in the file `name` of the incoming folder."""

    TYPE: ClassVar[str] = "made-file"
    job: str
    name: str
    title: str
    sha256: str
    bytes: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """The job ended well."""

    TYPE: ClassVar[str] = "done"
    job: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stopped:
    """The job was cancelled and its memory is free."""

    TYPE: ClassVar[str] = "stopped"
    job: str


@dataclass(frozen=True)
class Broke:
    """The job failed in a way that a second run would not cure."""

    TYPE: ClassVar[str] = "broke"
    job: str
    failure: Failure
    traceback: str = ""
    """For the log, when the mistake is ours."""


@dataclass(frozen=True)
class Unusable:
    """The engine could not be made; the process ends after this."""

    TYPE: ClassVar[str] = "unusable"
    failure: Failure


Command = RunJob | Stop | Unload | Describe | Preload
Report = Beat | Ready | Advanced | Sketch | Made | MadeFile | Done | Stopped | Broke | Unusable
COMMANDS: dict[str, type[Command]] = {cls.TYPE: cls for cls in (RunJob, Stop, Unload, Describe, Preload)}
REPORTS: dict[str, type[Report]] = {
    cls.TYPE: cls for cls in (Beat, Ready, Advanced, Sketch, Made, MadeFile, Done, Stopped, Broke, Unusable)
}


def pack(message: Command | Report, payload: bytes = b"") -> bytes:
    """The envelope: length of the rest, length of the header, header, payload."""
    header = schema.dump({"type": message.TYPE, **schema.encode(message)}).encode()
    return struct.pack(">II", 4 + len(header) + len(payload), len(header)) + header + payload


def unpack_command(body: bytes) -> Command:
    header, _ = _split(body)
    command: Command = schema.decode(COMMANDS[header.pop("type")], header, "command")
    return command


def unpack_report(body: bytes) -> tuple[Report, bytes]:
    header, payload = _split(body)
    report: Report = schema.decode(REPORTS[header.pop("type")], header, "report")
    return report, payload


def body_length(prefix: bytes) -> int:
    """What the first four bytes announce."""
    (length,) = struct.unpack(">I", prefix)
    if not 4 <= length <= MAX_REPORT_BYTES:
        raise EOFError(f"the pipe announces {length} bytes: it is out of step")
    return int(length)


def read_body(stream: BinaryIO) -> bytes | None:
    """The next envelope's inside; `None` when the other end is gone."""
    prefix = _read_exactly(stream.read, 4)
    return None if prefix is None else _read_exactly(stream.read, body_length(prefix))


def _read_exactly(read: Callable[[int], bytes], count: int) -> bytes | None:
    data = read(count)
    return data if len(data) == count else None


def _split(body: bytes) -> tuple[dict[str, Any], bytes]:
    (size,) = struct.unpack_from(">I", body)
    return schema.parse(body[4 : 4 + size], "report"), body[4 + size :]
