"""Which settings must not be served, or cannot be, by their options, before anything is opened. Knows values; opens no socket."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

from ..settings import Settings
from .listening import is_loopback, tls_context

DEVICE = re.compile(r"cpu|mps|(cuda|xpu)(:\d+)?")
"""The names of devices; which are there, only torch knows, in the workers."""


def refusal(settings: Settings) -> str | None:
    """Why these settings are not served; `None` when they are."""
    return _port(settings) or _devices(settings) or _door(settings) or _tls(settings)


def _port(settings: Settings) -> str | None:
    if settings.port is None or 0 <= settings.port <= 65535:
        return None
    return f"--port {settings.port} is no port; ports go from 1 to 65535, and 0 stands for any that is free"


def _devices(settings: Settings) -> str | None:
    for device in settings.devices:
        if device is not None and not DEVICE.fullmatch(device):
            return (
                f"--device {device!r} is no device; known are cpu, cuda, cuda:1, mps, xpu and xpu:1, with commas between several"
            )
    return None


def _door(settings: Settings) -> str | None:
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        return "--tls-certificate and --tls-key come together"
    if is_loopback(settings.host) or settings.tls_certificate is not None or settings.insecure:
        return None
    return (
        f"--host {settings.host} would let other computers in, with the token readable on the network. Give "
        "--tls-certificate and --tls-key, or better use an SSH tunnel; --insecure says that the network is trusted."
    )


def _tls(settings: Settings) -> str | None:
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    for option, path in (("--tls-certificate", settings.tls_certificate), ("--tls-key", settings.tls_key)):
        if wrong := _unreadable(path):
            return f"{option} {path}: {wrong}"
    try:
        tls_context(settings)
    except (OSError, ValueError) as error:
        return _wrong_pair(settings.tls_certificate, settings.tls_key, error)
    return None


def _unreadable(path: Path) -> str | None:
    try:
        path.read_bytes()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _wrong_pair(certificate: Path, key: Path, error: Exception) -> str:
    """Which of the two files is wrong; the library does not say."""
    try:
        ssl.create_default_context().load_verify_locations(certificate)
    except (OSError, ValueError):
        return f"--tls-certificate {certificate} is no certificate; it must be a PEM file"
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return f"--tls-key {key} is not the key of --tls-certificate {certificate}"
    if "password" in str(error):
        return f"--tls-key {key} is encrypted with a password; give one that is not"
    return f"--tls-key {key} is no private key; it must be a PEM file"
