"""Why a download failed, and what a person can do about it: by what the hub answered, or by its silence. Knows no file."""

from __future__ import annotations

from ..files.catalogue import CatalogueRow
from .proxies import WHERE

RESUMED = "it goes on where it stopped."
NO_ANSWER = f"Check the network and run the same command again; {RESUMED}"
LATER = f"The hub is busy or out of order; run the same command again later: {RESUMED}"
PROXY = f"The proxy is from {WHERE}; is it right?"


def hint_of(error: Exception, row: CatalogueRow, proxy: str | None) -> str:
    """What would help, as sentences."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return (
            f"It needs an account: accept its terms at {row.url}, then run `hf auth login`, or set HF_TOKEN to a token of yours. "
            "If there is no such page, it was moved or removed."
        )
    if status in (404, 410):
        return f"It was moved or removed. Look for {row.file} elsewhere, and put it into the models folder: {row.folder}."
    if status == 407 or (status is None and proxy):
        return f"{PROXY} {NO_ANSWER}"
    return NO_ANSWER if status is None else LATER


def reason_of(error: Exception) -> str:
    """The first line of what went wrong."""
    return (str(error) or type(error).__name__).splitlines()[0]
