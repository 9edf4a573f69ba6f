"""`acetate serve`: put the parts together, listen, and stop cleanly. Knows addresses and signals; decides nothing about jobs."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from acetate.protocol import running_server
from acetate.protocol.client.connection import GOING_AWAY
from acetate.protocol.frames import MAX_FRAME_BYTES
from acetate.protocol.messages import VERSION
from acetate.vocabulary.acceleration import Acceleration
from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as listen

from .. import log
from ..instance import AlreadyRunningError, Instance
from ..jobs.engine_state import EngineState
from ..jobs.jobs import JobRegistry
from ..jobs.lanes import Lanes
from ..jobs.model_watch import ModelWatch
from ..ray.pool import RayPool, refusal_of_ray
from ..settings import DEFAULT_PORT, ENGINE, FAKE_ENGINE, Settings
from ..storage.blobs import Blobs
from ..storage.database import StoreError
from ..storage.store import Store
from .connection import Connection, ServerState
from .handshake import Handshake

logger = logging.getLogger(__name__)

OPEN_SECONDS = 5
PING_SECONDS = 20


def serve(
    host: str = "127.0.0.1",
    port: int | None = None,
    device: str | None = None,
    preload: Sequence[str] = (),
    *,
    names: Sequence[str] = (),
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
    insecure: bool = False,
    engine: str = ENGINE,
    acceleration: Acceleration = "auto",
    ray: str | None = None,
    ray_workers: int | None = None,
) -> int:
    """Serve until Ctrl+C or SIGTERM; returns the exit code.

    `device` may name several, separated by commas: one worker each. `engine` is `module:Class`, or `fake`. With a Ray cluster,
    this machine's own devices take part only if they are named.
    """
    devices: tuple[str | None, ...] = tuple(device.split(",")) if device else () if ray else (None,)
    settings = Settings(
        host=host,
        port=port,
        devices=devices,
        preload=tuple(preload),
        names=tuple(names),
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        insecure=insecure,
        engine=FAKE_ENGINE if engine == "fake" else engine,
        acceleration=acceleration,
        ray=ray,
        ray_workers=ray_workers,
    )
    return run(settings)


def run(settings: Settings) -> int:
    """Serve with every setting given, until Ctrl+C or SIGTERM; returns the exit code."""
    refusal = _refusal(settings)
    if refusal:
        return _say_error(refusal)
    os.umask(0o077)  # prompts and pictures are private, whatever mode the folder has
    try:
        instance = Instance(settings.folder)
    except AlreadyRunningError:
        running = running_server()
        where = f"at {running.address.url} (process {running.pid})" if running else "but has not written its address yet"
        _say(f"Acetate is already running {where}.")
        return 0
    except OSError as error:
        return _say_error(f"{settings.folder} cannot be used for the server's state: {error}")
    handlers = log.start(settings.log, settings.log_bytes, settings.log_files)
    try:
        return asyncio.run(_serve(settings, instance))
    except OSError as error:
        return _say_error(f"cannot listen on {settings.host}: {error}")
    except StoreError as error:
        return _say_error(str(error))
    finally:
        instance.release()
        log.stop(handlers)


async def _serve(settings: Settings, instance: Instance) -> int:
    stopping = asyncio.Event()
    _on_signals(stopping)
    _allow_many_files()
    store, blobs = Store(settings.database), Blobs(settings.blobs)
    jobs = JobRegistry(settings, store, blobs)
    engine = EngineState(store, settings.preload, settings, jobs.work["engine"].set)
    lanes = Lanes(jobs, engine)
    lanes.add_local(settings)
    if settings.ray is not None:
        RayPool(lanes, settings).start()
    models = ModelWatch(settings.models_seconds, lambda: bool(engine.watchers), lanes.refresh)
    tasks: list[asyncio.Task[None]] = []
    try:
        async with await _listen(settings, instance.token, ServerState(settings, jobs, blobs, engine, models.look)) as server:
            url = _url(settings, server)
            instance.announce(url, settings.tls_certificate)
            _say(_greeting(url, settings))
            tasks = [asyncio.create_task(lanes.work()), asyncio.create_task(models.work())]
            failed = await _until_stopped(stopping, tasks)
            instance.withdraw()  # clients that are told to go must not find this server again
            server.close(code=GOING_AWAY, reason="the server stops")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await lanes.close()
        store.close()
    return 1 if failed else 0


async def _until_stopped(stopping: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> bool:
    """Wait for a signal; true if instead a lane has ended, which it never should."""
    waiting = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    broken = [task.exception() for task in done if task is not waiting]
    for error in broken:
        logger.error("a lane has ended", exc_info=error)
    _say("Stopping." if not broken else "Stopping because of an error in the server; the log has the details.")
    return bool(broken)


async def _listen(settings: Settings, token: str, shared: ServerState) -> Server:
    """Listen on the given port, else on the default one, or on any when that is taken."""
    queues = shared.jobs.queues.values()

    def health() -> dict[str, object]:
        state = shared.engine.message.state
        return {"version": version("acetate"), "protocol": VERSION, "queue": sum(map(len, queues)), "engine": state}

    handshake = Handshake(
        token, (settings.host, *settings.names), health, room=lambda: len(server.connections) < settings.connections
    )

    async def handle(socket: ServerConnection) -> None:
        await Connection(socket, shared).serve()

    ports = [DEFAULT_PORT, 0] if settings.port is None else [settings.port]
    for port in ports:
        try:
            server = await listen(
                handle,
                settings.host,
                port,
                process_request=handshake.check,
                create_connection=_limited(settings.sockets),
                ssl=_tls(settings),
                logger=_silent(),
                compression=None,  # 10 times slower than raw (performance.md 8)
                server_header=None,
                max_size=MAX_FRAME_BYTES,
                max_queue=4,
                open_timeout=OPEN_SECONDS,
                ping_interval=PING_SECONDS,
                ping_timeout=PING_SECONDS,
                close_timeout=2,
            )
            return server
        except OSError as error:
            if error.errno != errno.EADDRINUSE or port == ports[-1]:
                raise
    raise AssertionError("the last port either works or raises")


def _limited(sockets: int) -> type[ServerConnection]:
    class LimitedConnection(ServerConnection):
        """Hangs up at once when too many sockets are open, before a byte of it is read."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            if len(self.server.handlers) > sockets:
                self.transport.abort()

    return LimitedConnection


def _silent() -> logging.Logger:
    """A logger without output: the library logs every failed handshake with a traceback, which strangers could provoke."""
    quiet = logging.getLogger("acetate.server.websockets")
    quiet.setLevel(logging.CRITICAL)
    return quiet


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context


def _refusal(settings: Settings) -> str | None:
    """Why these settings must not be served; `None` when they may be."""
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        return "--tls-certificate and --tls-key come together"
    if refusal := refusal_of_ray(settings):
        return refusal
    if _is_loopback(settings.host) or settings.tls_certificate is not None or settings.insecure:
        return None
    return (
        f"--host {settings.host} would let other computers in, with the token readable on the network. Give "
        "--tls-certificate and --tls-key, or better use an SSH tunnel; --insecure says that the network is trusted."
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _url(settings: Settings, server: Server) -> str:
    """How local programs reach the server; one that listens everywhere is reached on loopback."""
    port = server.sockets[0].getsockname()[1]
    host = settings.host
    if host in ("0.0.0.0", "::", ""):
        host = socket.gethostname() if settings.tls_certificate else "127.0.0.1"
    return f"{'wss' if settings.tls_certificate else 'ws'}://{f'[{host}]' if ':' in host else host}:{port}/"


def _greeting(url: str, settings: Settings) -> str:
    lines = [f"Acetate listens on {url}"]
    if not _is_loopback(settings.host):
        lines.append(f"Other computers can reach it. Anyone with the token in {settings.folder / 'server.json'} can use it.")
        if settings.tls_certificate is None:
            lines.append("Nothing is encrypted (--insecure): the token and all pictures can be read on the network.")
    return "\n".join(lines)


def _on_signals(stopping: asyncio.Event) -> None:
    """Stop cleanly at the first signal, at once at the second."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopping.is_set():
            os._exit(130)
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
        else:
            loop.add_signal_handler(number, stop)


def _allow_many_files() -> None:
    """Raise the limit, so that strangers' sockets cannot use up the file descriptors that store and workers need."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _say_error(text: str) -> int:
    sys.stderr.write(f"acetate serve: {text}\n")
    return 2
