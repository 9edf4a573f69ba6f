"""Bring files of the catalogue from the hub: with consent, progress, resuming, and a checksum at the end.

Knows one row at a time and a folder; `library` finds what is there afterwards.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.file_download import HfFileMetadata, http_get
from huggingface_hub.utils import WeakFileLock, build_hf_headers

from ..files.catalogue import CatalogueRow
from ..files.checksums import sha256_of
from ..values.errors import BadRequest, ModelBroken, ModelMissing
from .failures import hint_of, reason_of
from .proxies import check_proxies, proxy_for

# The library's 10 MB would be lost on every line that breaks sooner, and each download would first ask the hub for the names of
# the programs that it could be called by.
constants.DOWNLOAD_CHUNK_SIZE = 1 << 16
constants.HF_HUB_DISABLE_TELEMETRY = True

Progressed = Callable[[int, int | None], None]
"""(bytes present, total bytes or `None`); may raise to stop: what has arrived is kept and resumed next time."""


def pull(row: CatalogueRow, models: Path, accept: Callable[[CatalogueRow], bool], progressed: Progressed | None = None) -> Path:
    """Download `row` into its subfolder of `models` unless it is present, check it, and return the file.

    `accept` is always asked first, with the row's licence; a refusal raises `BadRequest`. `HF_ENDPOINT`, `HF_TOKEN` and the
    variables that name a proxy are respected; a proxy that cannot be used raises `BadRequest`. A file whose checksum is wrong is
    deleted and raises `ModelBroken`; a broken connection is retried a few times, then raises `ModelMissing`, and the next call
    resumes the download.
    """
    if not accept(row):
        raise BadRequest(f"the licence {row.licence} of {row.file} was not accepted", f"Its text: {row.licence_url}")
    target = models / row.folder / row.file
    if target.exists() and is_intact(target, row):
        return target
    check_proxies()
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with WeakFileLock(target.with_name(f".{row.file}.lock")):
            return _download(row, target, progressed)
    except (httpx2.HTTPError, OSError) as error:
        proxy = proxy_for(hf_hub_url(row.repo, row.file, revision=row.revision))
        through = f" through the proxy {proxy}" if proxy else ""
        message = f"{row.file} could not be downloaded from {row.url}{through}: {reason_of(error)}"
        raise ModelMissing(message, hint_of(error, row, proxy)) from error


def is_intact(path: Path, row: CatalogueRow) -> bool:
    """Whether a file has the size and checksum that the catalogue states; what it does not state is not checked."""
    if row.bytes is not None and path.stat().st_size != row.bytes:
        return False
    return row.sha256 is None or sha256_of(path) == row.sha256


def _download(row: CatalogueRow, target: Path, progressed: Progressed | None) -> Path:
    url = hf_hub_url(row.repo, row.hub_file or row.file, revision=row.revision)
    there = get_hf_file_metadata(url)
    expected = row.sha256 or (there.etag if there.etag and re.fullmatch(r"[0-9a-f]{64}", there.etag) else None)
    size = row.bytes or there.size
    if there.size is not None and size != there.size:
        raise ModelBroken(f"{row.file} has {there.size:,} bytes at {row.url}; the catalogue says {size:,}")
    # Named after the content, so that a file that was replaced on the hub is not continued with the other's bytes.
    part = target.with_name(f".{row.file}.{(there.etag or 'unknown')[:16]}.part")
    _check_space(target, size, part)
    _fetch(url, there, part, size, progressed)
    found = sha256_of(part)
    if expected is not None and found != expected:
        part.unlink()
        message = f"{row.file} arrived damaged: its SHA-256 is {found}, {expected} is right"
        raise ModelBroken(message, "Run the same command again; the damaged file is gone.")
    os.replace(part, target)
    return target


def _fetch(url: str, there: HfFileMetadata, part: Path, size: int | None, progressed: Progressed | None) -> None:
    """Append to `part` what is missing. (`hf_hub_download` itself no longer resumes after its process has ended.)"""
    # The hub sends large files from signed addresses on other hosts, which must not see its token.
    same_host = httpx2.URL(there.location).host == httpx2.URL(url).host
    headers = build_hf_headers() if same_host else build_hf_headers(token=False)
    present = part.stat().st_size if part.exists() else 0
    if size is not None and present > size:
        part.unlink()
        present = 0
    with part.open("ab") as file:
        http_get(there.location, file, resume_size=present, headers=headers, expected_size=size, tqdm_class=_reporter(progressed))


def _check_space(target: Path, size: int | None, part: Path) -> None:
    missing = (size or 0) - (part.stat().st_size if part.exists() else 0)
    free = shutil.disk_usage(target.parent).free
    if missing > free:
        raise BadRequest(f"{target.name} needs {missing:,} more bytes; {target.parent} has {free:,} free")


def _reporter(progressed: Progressed | None) -> type[Any]:
    """The hub's idea of a progress bar, reduced to a call."""

    class Bar(AbstractContextManager[Any]):
        def __init__(self, *, total: int | None = None, initial: int = 0, **ignored: object) -> None:
            self.total, self.n = total, initial
            self.update(0)

        def update(self, count: float | None = 1) -> None:
            self.n += int(count or 0)
            if progressed is not None:
                progressed(self.n, self.total)

        def close(self) -> None:
            pass

        def __exit__(self, *ignored: object) -> None:
            self.close()

    return Bar
