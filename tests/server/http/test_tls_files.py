"""Files of TLS that cannot be used are named before a server listens; the pairs are made by openssl."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from acetate.server.http.listening import tls_context
from acetate.server.http.refusals import refusal
from acetate.server.settings import Settings


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two certificates with their keys, and one of the keys encrypted."""
    folder = tmp_path_factory.mktemp("tls")
    found = {}
    for name in ("one", "other"):
        found[f"{name}.key"], found[f"{name}.pem"] = folder / f"{name}.key", folder / f"{name}.pem"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
                 "-days", "2", "-keyout", found[f"{name}.key"], "-out", found[f"{name}.pem"])  # fmt: skip
    found["locked.key"] = folder / "locked.key"
    _openssl("ec", "-aes128", "-passout", "pass:secret", "-in", found["one.key"], "-out", found["locked.key"])
    return found


def _openssl(*words: Any) -> None:
    try:
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl here")


def test_tls_with_its_own_key_is_served(pairs: dict[str, Path]) -> None:
    settings = Settings(host="studio.example", tls_certificate=pairs["one.pem"], tls_key=pairs["one.key"])
    assert refusal(settings) is None


@pytest.mark.parametrize(
    ("certificate", "key", "named"),
    [
        ("nowhere.pem", "one.key", "--tls-certificate {certificate}: No such file"),
        ("one.pem", "nowhere.key", "--tls-key {key}: No such file"),
        (".", "one.key", "--tls-certificate {certificate}: Is a directory"),
        ("one.key", "one.key", "--tls-certificate {certificate} is no certificate"),
        ("empty", "one.key", "--tls-certificate {certificate} is no certificate"),
        ("one.pem", "one.pem", "--tls-key {key} is no private key"),
        ("one.pem", "empty", "--tls-key {key} is no private key"),
        ("one.pem", "other.key", "--tls-key {key} is not the key of --tls-certificate {certificate}"),
        ("one.pem", "locked.key", "--tls-key {key} is encrypted with a password"),
    ],
)
def test_a_file_of_tls_that_cannot_be_used_is_named(
    pairs: dict[str, Path], tmp_path: Path, certificate: str, key: str, named: str
) -> None:
    (tmp_path / "empty").touch()
    files = {"certificate": pairs.get(certificate, tmp_path / certificate), "key": pairs.get(key, tmp_path / key)}
    said = refusal(Settings(tls_certificate=files["certificate"], tls_key=files["key"]))
    assert named.format(**files) in (said or "nothing")


def test_the_files_are_tried_as_the_server_will_use_them(pairs: dict[str, Path]) -> None:
    context = tls_context(Settings(tls_certificate=pairs["one.pem"], tls_key=pairs["one.key"]))
    assert context is not None and context.minimum_version >= ssl.TLSVersion.TLSv1_2
