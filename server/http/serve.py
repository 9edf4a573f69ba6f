"""`acetate serve`: put the parts together, listen, and stop cleanly. Knows addresses and signals; decides nothing about jobs."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import time
from pathlib import Path

from acetate.protocol import running_server
from acetate.protocol.client.connection import GOING_AWAY, SERVICE_RESTART
from websockets.asyncio.server import Server, ServerConnection

from .. import log, open_files
from ..instance import AlreadyRunningError, Instance, start_again
from ..jobs.engine_state import EngineState
from ..jobs.jobs import JobRegistry
from ..jobs.lanes import Lanes
from ..people.presence import People
from ..people.tokens import TokenError, Tokens
from ..ray.pool import RayPool
from ..settings import Settings
from ..storage.blobs import Blobs
from ..storage.faults import StoreError, is_damage
from ..storage.store import Store
from .client_socket import ClientSocket
from .connection import Connection, ServerState
from .handshake import Handshake
from .lifetime import Lifetime, notify
from .listening import ListenError, greeting, listen, reaches, url_of
from .metrics import Metrics
from .model_watch import ModelWatch
from .pages import Pages, devices
from .preloads import Preloads
from .refusals import refusal
from .uploads import UnfinishedUploads

LOCK_SECONDS = 10.0
"""How long a server that is about to end may still hold the folder."""


def run(settings: Settings) -> int:
    """Serve with every setting given, until Ctrl+C or SIGTERM; returns the exit code."""
    if (refused := refusal(settings)) is not None:
        return _say_error(refused)
    os.umask(0o077)  # prompts and pictures are private, whatever mode the folder has
    try:
        instance = _instance(settings.folder)
    except AlreadyRunningError:
        running = running_server()
        where = f"at {running.address.url} (process {running.pid})" if running else "but has not written its address yet"
        _say(f"Acetate is already running {where}.")
        return 0
    except OSError as error:
        return _say_error(f"{settings.folder} cannot be used for the server's state: {error}")
    handlers = log.start(settings.log, settings.log_bytes, settings.log_files)
    try:
        code, restarts = asyncio.run(_serve(settings, instance))
        if restarts:
            instance.keep_for_successor()
    except (ListenError, StoreError, TokenError) as error:
        return _say_error(str(error))
    except OSError as error:
        return _say_error(f"{settings.folder}: {error}")
    finally:
        instance.release()
        log.stop(handlers)
    if restarts:
        return start_again()
    return code


def _instance(folder: Path) -> Instance:
    """The folder's lock; one that a server holds which has written no address is waited for: it is starting, or about to end."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return Instance(folder)
        except AlreadyRunningError:
            if running_server() is not None or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _open(settings: Settings) -> tuple[Store, Blobs, JobRegistry]:
    """What outlives the server; a second time, recovered, when only reading the jobs shows that the database is damaged."""
    blobs = Blobs(settings.blobs)
    for attempt in (1, 2):
        store = Store(settings.database, check_seconds=settings.check_seconds, reserve_bytes=settings.reserve_bytes)
        try:
            return store, blobs, JobRegistry(settings, store, blobs)
        except sqlite3.Error as error:
            if is_damage(error):
                store.distrust()
            store.close()
            if attempt == 2 or not is_damage(error):
                raise StoreError(f"{settings.database} cannot be used: {error}") from error
    raise AssertionError("the second attempt returns or raises")


async def _serve(settings: Settings, instance: Instance) -> tuple[int, bool]:
    """Serve; returns the exit code, and whether a server with the same command line is to follow."""
    settings = open_files.within(open_files.raise_limit(), settings)
    asyncio.get_running_loop().set_exception_handler(open_files.Complaints().take)
    tokens = Tokens(settings.tokens)
    tokens.all()  # a file that cannot be read is told of now, before anybody depends on it
    store, blobs, jobs = _open(settings)
    preloads = Preloads(settings.preload)
    engine = EngineState(store, settings.preload, settings, jobs.work["engine"].set, preloads.check)
    for notice in store.notices:
        _say(notice)
    lifetime = Lifetime(
        settings, jobs, lambda: len(engine.watchers), lambda: any(not client.outbox.is_empty for client in engine.watchers)
    )
    lifetime.stop_on_signals()
    lanes = Lanes(jobs, engine)
    lanes.add_local(settings)
    if settings.ray is not None:
        RayPool(lanes, settings).start()
    models = ModelWatch(settings.models_seconds, lambda: bool(engine.watchers), lanes.refresh)
    unfinished = UnfinishedUploads(settings, blobs)
    metrics = Metrics(jobs, lambda: devices(engine), lambda: len(engine.watchers))
    pages = Pages(jobs, engine, lifetime, metrics)
    shared = ServerState(settings, jobs, blobs, unfinished, engine, models.look)
    tasks: list[asyncio.Task[None]] = []
    try:
        people = People(settings, instance.token, tokens, lambda: server.connections)
        async with await _listen(settings, people, shared, pages) as server:
            await _announce(settings, instance, server)
            tasks = [asyncio.create_task(work) for work in (metrics.watch_lag(), jobs.positions.work(), people.watch())]
            if settings.until_idle:
                tasks.append(asyncio.create_task(lifetime.watch_use()))
            working = [asyncio.create_task(lanes.work()), asyncio.create_task(models.work())]
            tasks += working
            failed = await lifetime.until_stopped(working)
            instance.withdraw()  # clients that are told to go must not find this server again
            if lifetime.restarts and not failed:
                server.close(code=SERVICE_RESTART, reason="the server starts again")
            else:
                server.close(code=GOING_AWAY, reason="the server stops")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await lanes.close()
        unfinished.end_all()
        store.close()
    return int(failed), lifetime.restarts and not failed


async def _listen(settings: Settings, people: People, shared: ServerState, pages: Pages) -> Server:
    handshake = Handshake(people, (settings.host, *settings.names), pages)

    async def handle(socket: ServerConnection) -> None:
        assert isinstance(socket, ClientSocket)
        await Connection(socket, shared, people.of(socket)).serve()

    server = await listen(settings, handle, handshake.check, pages.metrics.moved)
    return server


async def _announce(settings: Settings, instance: Instance, server: Server) -> None:
    """Say where the server is, to programs and to the person."""
    url = url_of(settings, server)
    instance.announce(url, settings.tls_certificate, until_idle=settings.until_idle)
    _say(greeting(url, settings))
    notify("READY=1")
    if not await reaches(url):
        _say(f"From this computer nothing answers at {url}: give a name that leads here with --name.")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _say_error(text: str) -> int:
    sys.stderr.write(f"acetate serve: {text}\n")
    return 2
