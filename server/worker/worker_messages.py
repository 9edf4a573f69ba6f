"""What a worker process and the server say to each other over a pipe: a length, a JSON header, a payload. No pickle.

What a client is told as it is (progress, previews, layers, files, ends) travels as the protocol's own message; what only the
server needs lies around it. Both ends are ours and of one version, so nothing is negotiated. Runs nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar

from acetate.protocol import Failure, Layer, schema
from acetate.protocol.frames import PreviewFrame
from acetate.protocol.messages import Cancel, Cancelled, Export, Failed, File, Insert, Progress, Submit

MAX_REPORT_BYTES = 64 << 20
"""The description of an engine with thousands of models is far smaller; a longer report means a pipe out of step."""


# --- server to worker ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunJob:
    """Start a job. Its pictures lie in files."""

    TYPE: ClassVar[str] = "run"
    order: Submit | Insert | Export
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The `path`, `format`, `width` and `height` of each content, by its id."""
    layers: tuple[Layer, ...] = ()
    """The layers that an `export` writes, lowest first."""

    @property
    def job(self) -> str:
        return self.order.job


@dataclass(frozen=True)
class Unload:
    """Free the models' memory."""

    TYPE: ClassVar[str] = "unload"


@dataclass(frozen=True)
class Describe:
    """Send `Ready` again, as models may have been added."""

    TYPE: ClassVar[str] = "describe"


@dataclass(frozen=True)
class Preload:
    """Load a model before a job asks for it."""

    TYPE: ClassVar[str] = "preload"
    model: str


# --- worker to server ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Beat:
    """A sign of life, sent every second by a thread of its own: the interpreter runs."""

    TYPE: ClassVar[str] = "beat"


@dataclass(frozen=True)
class Ready:
    """The engine can run jobs, and describes itself."""

    TYPE: ClassVar[str] = "ready"
    device: str
    description: Mapping[str, Any]


@dataclass(frozen=True)
class Waiting:
    """There is no engine yet, for this reason, and the process goes on waiting for one."""

    TYPE: ClassVar[str] = "waiting"
    failure: Failure


@dataclass(frozen=True)
class Room:
    """How many workers the place where this one runs has room for, all together: a cluster grows and shrinks."""

    TYPE: ClassVar[str] = "room"
    workers: int


@dataclass(frozen=True)
class Opened:
    """The models that lie on the device now, the latest used last."""

    TYPE: ClassVar[str] = "opened"
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """A finished layer; its pixels, in its `format`, lie in the incoming folder as `name`. The payload is a thumbnail."""

    TYPE: ClassVar[str] = "made"
    layer: Layer
    name: str
    thumbnail_width: int = 0
    thumbnail_height: int = 0


@dataclass(frozen=True)
class MadeFile:
    """An exported file; its bytes lie in the file `name` of the incoming folder."""

    TYPE: ClassVar[str] = "made-file"
    file: File
    name: str


@dataclass(frozen=True)
class Done:
    """The job has succeeded."""

    TYPE: ClassVar[str] = "done"
    job: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unusable:
    """The engine could not be started, or is gone; the process ends after this."""

    TYPE: ClassVar[str] = "unusable"
    failure: Failure


Command = RunJob | Cancel | Unload | Describe | Preload
"""`Cancel` stops the job between two steps."""
News = Ready | Waiting | Room
"""What a worker says of itself, whether a job runs or not."""
Report = News | Beat | Progress | PreviewFrame | Opened | Made | MadeFile | Done | Cancelled | Failed | Unusable
"""The payload of a `PreviewFrame` is its pixels; that of `Failed` is a traceback for the log when the error is ours."""
COMMANDS: dict[str, type[Command]] = {cls.TYPE: cls for cls in (RunJob, Cancel, Unload, Describe, Preload)}
REPORTS: dict[str, type[Report]] = {
    cls.TYPE: cls
    for cls in (
        Ready, Waiting, Room, Beat, Progress, PreviewFrame, Opened, Made, MadeFile, Done, Cancelled, Failed, Unusable,
    )
}  # fmt: skip
ReportWithPayload = tuple[Report, bytes]


def pack(message: Command | Report, payload: bytes = b"") -> bytes:
    """A message in its envelope: length of the rest, length of the header, header, payload."""
    header = schema.dump({"type": message.TYPE, **schema.encode(message)}).encode()
    return struct.pack(">II", 4 + len(header) + len(payload), len(header)) + header + payload


def unpack_command(body: bytes) -> Command:
    """The command in an envelope's inside."""
    header, _ = _split(body)
    command: Command = schema.decode(COMMANDS[header.pop("type")], header, "command")
    return command


def unpack_report(body: bytes) -> ReportWithPayload:
    """The report in an envelope's inside, and its payload."""
    header, payload = _split(body)
    report: Report = schema.decode(REPORTS[header.pop("type")], header, "report")
    return report, payload


def body_length(prefix: bytes) -> int:
    """The length of the inside, which the first four bytes announce. Raises `EOFError` for an impossible one."""
    (length,) = struct.unpack(">I", prefix)
    if not 4 <= length <= MAX_REPORT_BYTES:
        raise EOFError(f"the pipe announces {length} bytes: it is out of step")
    return int(length)


def read_body(stream: BinaryIO) -> bytes | None:
    """The inside of the next envelope; `None` when the other end is gone."""
    prefix = _read_exactly(stream.read, 4)
    return None if prefix is None else _read_exactly(stream.read, body_length(prefix))


def _read_exactly(read: Callable[[int], bytes], count: int) -> bytes | None:
    data = read(count)
    return data if len(data) == count else None


def _split(body: bytes) -> tuple[dict[str, Any], bytes]:
    (size,) = struct.unpack_from(">I", body)
    return schema.parse(body[4 : 4 + size], "report"), body[4 + size :]
