"""Every number and folder that the server goes by, in one frozen value. Knows defaults, ranges and meanings; reads no file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NamedTuple

from acetate.protocol.frames import PART_BYTES
from acetate.protocol.home import home
from acetate.protocol.messages import MAX_TEXT_BYTES, Limits
from acetate.protocol.pixels import MAX_PIXELS, MAX_SIDE
from acetate.vocabulary.engine_options import Acceleration, Dtype
from acetate.vocabulary.parameters import LONGEST_PROMPT, range_of

DEFAULT_PORT = 22380
ENGINE = "acetate.engine.engine:Engine"
FAKE_ENGINE = "acetate.server.worker.fake_engine:FakeEngine"

MIB, GIB = 1 << 20, 1 << 30


class Range(NamedTuple):
    """From where to where a number is right, both included."""

    low: float = 0
    high: float = 1e15


Count = Annotated[int, Range(1)]
Timeout = Annotated[float, Range(0.1, 1e9)]
"""Seconds of which there have to be some."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of a server, in seconds and bytes if the names end so. What each means stands below it, and is shown to people
    by `acetate serve --show-settings` and in docs/settings.md; so do the headings."""

    # --- where it listens
    folder: Path = field(default_factory=home)
    """The folder of everything that the server keeps: database, blobs, log, state file, lock."""
    host: str = "127.0.0.1"
    """The address to listen on; anything but loopback needs TLS, or `insecure`."""
    port: Annotated[int, Range(0, 65535)] | None = None
    """The port; 0 means any free one. Without it 22380 is taken, or any free one if that cannot be had."""
    names: tuple[str, ...] = ()
    """The DNS names by which others reach this computer; its own host name need not be given."""
    tls_certificate: Path | None = None
    """The file of the certificate, in PEM form; `tls_key` belongs to it."""
    tls_key: Path | None = None
    """The file of the certificate's private key, in PEM form, without a password."""
    insecure: bool = False
    """Listen beyond this computer without TLS: anyone on the way can read and change everything."""

    # --- what it runs on
    engine: str = ENGINE
    """The `module:Class` of the engine that workers run; `fake` is one without networks, for trying things out."""
    acceleration: Acceleration = "auto"
    """How workers run networks: `eager` calls them as they are written, `recorded` replays their kernels, `compiled` has a UNet's
    blocks compiled as well where that helps, `check` runs both eager and recorded and reports where they differ."""
    dtype: Dtype = "auto"
    """The type of networks' arithmetic; `auto` is `float32` on a CPU, and on cards `float16` unless they are known to fail."""
    devices: tuple[str | None, ...] = (None,)
    """The devices, with one worker each: `cpu`, `cuda`, `cuda:1`, `mps`, `xpu`; `auto` lets the engine choose."""
    ray: str | None = None
    """The Ray cluster whose devices take jobs as well: `HOST:PORT` of its head, or `auto` for the one that runs here."""
    ray_workers: Count | None = None
    """How many workers to run on the cluster's CPUs; without it there is one on each of its GPUs."""
    preload: tuple[str, ...] = ()
    """Models that are opened at once, before a job asks for them."""

    # --- what clients may do
    file_bytes: Count = 2 * GIB
    """The largest layered file that may be uploaded."""
    jobs_per_session: Count = 200
    """The most jobs of one session, which is one editor or script, that may wait."""
    jobs_per_person: Count = 1000
    """The most jobs of one person that may wait or run. Besides, as many places stay free for others as a person has taken."""
    jobs: Count = 2000
    """The most jobs that may wait or run, of all persons together."""
    connections: Count = 64
    """The most connections of all persons together."""
    connections_per_person: Count = 32
    """The most connections of one person. Besides, as many places stay free for others as a person has taken."""
    sockets: Count = 256
    """The most connections, including those that have not shown a token yet."""
    uploads_per_connection: Count = 16
    """The most uploads that one connection may have under way."""
    unfinished_bytes: Count = 8 * GIB
    """The most bytes that all unfinished uploads together may announce."""
    unfinished_bytes_per_person: Count = 4 * GIB
    """The most bytes that one person's unfinished uploads may announce. Besides, as much stays free for others."""
    unanswered: Count = 2000
    """How many replies a client may leave unread before it is dropped."""
    position_seconds: Timeout = 0.5
    """How often clients are told that their jobs have moved up in the queue."""
    positions: Count = 5
    """How many jobs' places one client is told each time, those first that have changed most."""
    tokens_seconds: Timeout = 1
    """How long a person whose token is revoked may stay connected."""
    open_seconds: Timeout = 5
    """How long a connection may take until it has asked for something and shown its token."""
    hello_seconds: Timeout = 10
    """How long a client may take to say hello once it is connected."""
    send_seconds: Timeout = 30
    """A client that takes no byte of what it is sent for this time has lost its connection."""
    client_silence_seconds: Timeout = 120
    """A client of which nothing is heard for this time, not even the answer to a ping, has lost its connection."""
    return_seconds: float = 2
    """How long a job that is not to be kept goes on when nobody watches it any more: its client may be back in a moment."""
    upload_idle_seconds: Timeout = 600
    """An unfinished upload is forgotten when no byte of it has come for this time, over whatever connection."""
    upload_yield_seconds: Timeout = 10
    """After this time without a byte it gives way to another upload of the same person, if there is no room for both."""
    ping_seconds: Timeout = 20
    """How often a client is asked for a sign of life. It has to be below the time for which a proxy lets a connection be silent,
    which is 60 s for many."""

    # --- what is kept
    history_bytes: int = 2 * GIB
    """How large the history may grow before the oldest results go."""
    upload_bytes: int = 2 * GIB
    """How much of what was uploaded is kept although no job needs it any more, for the next one that does."""
    fresh_seconds: float = 60
    """How long an upload is kept for its submit, while all of them are within twice their limit."""
    unacknowledged_seconds: float = 7 * 86400
    """Results that no client has acknowledged for this time are evicted like acknowledged ones."""
    unacknowledged_bytes: int = 2 * GIB
    """The most that results without an acknowledgement may take before then; the oldest of them go."""
    recent_seconds: float = 300
    """Results stay for this time in any case while their client is connected: it may be taking them."""
    document_seconds: float = 3600
    """How long the results of imports and exports are kept: for a client that reconnects, not as history."""
    lost_seconds: float = 30 * 86400
    """How long files that the database does not know stay in the lost and found."""
    check_seconds: float = 5
    """How long a start may look for damage in the database."""
    reserve_bytes: int = 1 * MIB
    """Room that is kept for a full disk, so that ends of jobs can still be stored and results deleted."""
    log_bytes: Count = 5 * MIB
    """How large the log may grow before a new one is begun."""
    log_files: int = 4
    """How many older logs are kept."""

    # --- the server's own end
    drain_seconds: float = 30
    """How long the running jobs may take when the server is to stop; what is not over then runs again after the next start."""
    until_idle: bool = False
    """End when nobody needs the server any more, or when another version was installed: how editors start it."""
    unused_seconds: Timeout = 1800
    """With `until_idle`, how long the server stays without clients and jobs."""

    # --- workers
    start_seconds: Timeout = 180
    """How long a worker may take from its start until it has described its engine."""
    silence_seconds: Timeout = 60
    """A worker without a heartbeat for this time is dead (importing torch can hold Python's lock for long)."""
    stall_seconds: Timeout = 900
    """A worker without a step for this time is stuck, while it loads or before any step was measured."""
    step_seconds: Timeout = 60
    """Once steps were measured, a step may take this plus 20 times the slowest one."""
    cancel_seconds: Timeout = 120
    """A worker that does not stop a cancelled job within this time (plus 20 steps) is replaced."""
    stop_seconds: Timeout = 30
    """The same once steps of the stage that it is in were measured."""
    stop_silence_seconds: Timeout = 15
    """A worker that is past loading is replaced when its job is cancelled and it has had no heartbeat for this time."""
    crashes: Count = 2
    """A job has failed when it has cost this many workers."""
    start_failures: Count = 3
    """A device has failed when this many workers in a row did not come up, or were lost while another device works."""
    restart_seconds: tuple[float, ...] = (0, 0, 1, 5, 30)
    """The wait before each of the replacements that follow each other."""
    device_pause_seconds: tuple[float, ...] = (5, 15, 60, 300)
    """How long a device that has failed is left alone, each time that it fails again."""
    placement_seconds: float = 1
    """How long a job may wait for a device on which its model lies, while another one is free."""
    models_seconds: Timeout = 15
    """How often it is looked whether models were added or removed, while a client is connected."""
    idle_seconds: float = 900
    """Models leave memory after this time without a job."""
    preview_seconds: float = 0.25
    """The shortest time between two previews of a job."""
    preview_share: Annotated[float, Range(0, 1)] = 0.02
    """Previews cost at most this share of a job's time."""

    @property
    def limits(self) -> Limits:
        """What clients are told of their limits: some are settings, the others the wire's and the vocabulary's."""
        return Limits(
            text_bytes=MAX_TEXT_BYTES,
            part_bytes=PART_BYTES,
            pixels=MAX_PIXELS,
            side=MAX_SIDE,
            file_bytes=self.file_bytes,
            prompt_characters=LONGEST_PROMPT,
            count=range_of("count")[1],
            jobs_per_session=self.jobs_per_session,
        )

    @property
    def database(self) -> Path:
        return self.folder / "jobs.sqlite"

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens.json"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"
