"""Every number and folder that the server goes by, in one frozen value. Knows defaults; reads no file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from acetate.protocol.frames import PART_BYTES
from acetate.protocol.home import home
from acetate.protocol.messages import MAX_TEXT_BYTES, Limits
from acetate.protocol.pixels import MAX_PIXELS, MAX_SIDE
from acetate.vocabulary.acceleration import Acceleration
from acetate.vocabulary.parameters import LONGEST_PROMPT, range_of

DEFAULT_PORT = 22380
ENGINE = "acetate.engine.engine:Engine"
FAKE_ENGINE = "acetate.server.worker.fake_engine:FakeEngine"

MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of a server, in seconds and bytes unless a name says otherwise."""

    folder: Path = field(default_factory=home)
    """The folder of everything that the server keeps: database, blobs, log, state file, lock."""
    host: str = "127.0.0.1"
    port: int | None = None
    """The port; `None` is the default one, or any free one when that is taken, and 0 is any free one."""
    names: tuple[str, ...] = ()
    """The names by which others reach this computer; its own host name need not be given."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    insecure: bool = False

    engine: str = ENGINE
    """`module:Class` of the engine that workers run."""
    acceleration: Acceleration = "auto"
    """How workers run networks."""
    devices: tuple[str | None, ...] = (None,)
    """The devices, with one worker each; `None` lets the engine choose."""
    ray: str | None = None
    """The Ray cluster whose devices take jobs as well: `HOST:PORT` of its head, or `auto` for the one that runs here."""
    ray_workers: int | None = None
    """How many workers to run on the cluster's CPUs; `None` is one on each of its GPUs."""
    preload: tuple[str, ...] = ()

    # --- what clients may do
    limits: Limits = Limits(
        text_bytes=MAX_TEXT_BYTES,
        part_bytes=PART_BYTES,
        pixels=MAX_PIXELS,
        side=MAX_SIDE,
        file_bytes=2 * GIB,
        prompt_characters=LONGEST_PROMPT,
        count=range_of("count")[1],
        jobs_per_session=200,
    )
    jobs: int = 2000
    """The most jobs that may wait, of all sessions together."""
    connections: int = 64
    sockets: int = 256
    """The most connections, including those that have not shown a token yet."""
    uploads_per_connection: int = 16
    unfinished_bytes: int = 8 * GIB
    """The most bytes that all unfinished uploads together may announce."""
    unanswered: int = 2000
    """How many replies a client may leave unread before it is dropped."""
    hello_seconds: float = 10
    send_seconds: float = 30
    """A part that a client does not take within this time costs it its connection."""

    # --- what is kept
    history_bytes: int = 2 * GIB
    upload_bytes: int = 2 * GIB
    fresh_seconds: float = 60
    """How long an upload is kept for its submit, while all of them are within twice their limit."""
    unacknowledged_seconds: float = 7 * 86400
    """Results that have not been acknowledged are evicted only after this time."""
    log_bytes: int = 5 * MIB
    log_files: int = 4

    # --- workers
    start_seconds: float = 180
    """How long a worker may take from its start until it has described its engine."""
    silence_seconds: float = 60
    """A worker without a heartbeat for this time is dead (importing torch can hold Python's lock for long)."""
    stall_seconds: float = 900
    """A worker without a step for this time is stuck, while it loads or before any step was measured."""
    step_seconds: float = 60
    """Once steps were measured, a step may take this plus 20 times the slowest one."""
    cancel_seconds: float = 120
    """A worker that does not stop a cancelled job within this time (plus 20 steps) is replaced."""
    stop_seconds: float = 30
    """The same once steps of the stage that it is in were measured."""
    stop_silence_seconds: float = 15
    """A worker that is past loading is replaced when its job is cancelled and it has had no heartbeat for this time."""
    crashes: int = 2
    """A job has failed when it has cost this many workers."""
    start_failures: int = 3
    """A device has failed when this many workers in a row did not come up, or were lost while another device works."""
    restart_seconds: tuple[float, ...] = (0, 0, 1, 5, 30)
    """The wait before each of the replacements that follow each other."""
    device_pause_seconds: tuple[float, ...] = (5, 15, 60, 300)
    """How long a device that has failed is left alone, each time that it fails again."""
    placement_seconds: float = 1
    """How long a job may wait for a device on which its model lies, while another one is free."""
    models_seconds: float = 15
    """How often it is looked whether models were added or removed, while a client is connected."""
    idle_seconds: float = 900
    """Models leave memory after this time without a job."""
    preview_seconds: float = 0.25
    preview_share: float = 0.02
    """Previews cost at most this share of a job's time."""

    @property
    def database(self) -> Path:
        return self.folder / "jobs.sqlite"

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"
