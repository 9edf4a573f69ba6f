"""Health, readiness, metrics, status and the order to stop, as they are answered to those who may ask."""

from __future__ import annotations

import base64
import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Failure
from acetate.server.http.handshake import Handshake
from acetate.server.people.presence import People
from acetate.server.people.tokens import Tokens
from acetate.server.worker.worker_messages import Ready
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

House = Callable[..., Any]


def said(response: Response | None) -> tuple[int, Any]:
    assert response is not None
    return response.status_code, json.loads(response.body)


def knock(house: Any, path: str, method: str = "GET", **headers: str) -> int:
    """The status that a request is answered with; 101 where the handshake goes on."""
    people = People(house.jobs.settings, "secret", Tokens(house.jobs.settings.folder / "tokens.json"), lambda: [])
    handshake = Handshake(people, ("127.0.0.1",), house.pages)
    request = Request(path, Headers({"Host": "127.0.0.1", **headers}))
    response = handshake.check(Connection(method), request)  # type: ignore[arg-type]
    return response.status_code if response is not None else 101


class Connection:
    """What the handshake needs of one."""

    def __init__(self, method: str) -> None:
        self.method = method


# --- who may ask -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/readyz?verbose"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_and_readiness_are_public(house: House, path: str, method: str) -> None:
    assert knock(house(), path, method) == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/metrics"), ("GET", "/status"), ("POST", "/stop"), ("POST", "/stop?now")])
def test_everything_else_takes_the_token_and_no_web_page(house: House, method: str, path: str) -> None:
    built = house()
    token = {"Authorization": "Bearer secret"}
    assert knock(built, path, method) == 401
    assert knock(built, path, method, Authorization="Bearer wrong") == 401
    assert knock(built, path, method, Origin="http://127.0.0.1", **token) == 403
    assert knock(built, path, method, **(token | {"Host": "evil.example"})) == 421
    assert not built.lifetime.stopping
    assert knock(built, path, method, **token) in (200, 202)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/healthz", 405),
        ("GET", "/stop", 405),
        ("HEAD", "/stop", 405),
        ("POST", "/status", 405),
        ("POST", "/", 405),
        ("HEAD", "/", 426),
        ("GET", "/", 101),
        ("GET", "/nothing", 404),
        ("POST", "/stop?yesterday", 400),
    ],
)
def test_a_page_has_its_methods(house: House, method: str, path: str, status: int) -> None:
    built = house()
    assert knock(built, path, method, Authorization="Bearer secret") == status
    assert not built.lifetime.stopping


# --- what they say ---------------------------------------------------------------------------------------------------


def test_a_server_that_starts_is_ready_for_jobs(house: House) -> None:
    assert said(house().pages.public("GET", "/readyz")) == (200, {"ready": True, "reasons": []})


def test_a_server_that_stops_is_alive_and_not_ready(house: House) -> None:
    built = house()
    built.lifetime.stop("a test")
    assert said(built.pages.public("GET", "/readyz")) == (503, {"ready": False, "reasons": ["the server stops"]})
    assert said(built.pages.public("GET", "/healthz"))[0] == 200


def test_without_a_device_that_works_it_is_not_ready(house: House) -> None:
    built = house()
    built.engine.failed(built.engine.devices[0], Failure("engine-unavailable", "no torch"))
    assert said(built.pages.public("GET", "/readyz")) == (503, {"ready": False, "reasons": ["no device works"]})


def test_without_its_database_it_is_not_ready(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    built = house()

    def broken(name: str) -> None:
        raise sqlite3.DatabaseError("malformed")

    monkeypatch.setattr(built.jobs.store, "note", broken)
    assert said(built.pages.public("GET", "/readyz")) == (503, {"ready": False, "reasons": ["the database cannot be read"]})


def test_the_status_names_jobs_and_counts_what_waits(house: House) -> None:
    built = house()
    for job in ("job-number-1", "job-number-2"):
        built.submit(job)
    built.take()
    status, found = said(built.pages.private("GET", "/status"))
    assert status == 200
    assert (found["running_jobs"], found["waiting_jobs"]) == (["job-number-1"], {"engine": 1, "documents": 0})
    assert found["memory_bytes"] > 1 << 20 and not found["stopping"] and found["since"] > 0


@pytest.mark.parametrize(
    ("query", "seconds", "restarts"), [("", 7, False), ("?now", 0, False), ("?restart", 7, True), ("?restart&now", 0, True)]
)
def test_the_order_to_stop_says_how_long_it_may_take(house: House, query: str, seconds: float, restarts: bool) -> None:
    built = house(drain_seconds=7)
    status, found = said(built.pages.private("POST", f"/stop{query}"))
    assert (status, found["seconds"], built.lifetime.restarts) == (202, seconds, restarts)
    assert built.lifetime.stopping and built.jobs.drain.begun


def test_the_picture_beside_a_lora_is_shown_small_and_its_place_stays_with_the_server(house: House, tmp_path: Path) -> None:
    built = house()
    Image.new("RGB", (400, 200), "red").save(tmp_path / "ink.png")
    previews = {"ink wash": str(tmp_path / "ink.png"), "gone": str(tmp_path / "gone.png")}
    built.engine.heard(built.engine.add("cpu"), Ready("cpu", {"loras": [{"name": "ink wash"}], "previews": previews}))
    status, found = said(built.pages.private("GET", "/preview?lora=ink%20wash"))
    assert (status, found["type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(base64.b64decode(found["base64"]))).size == (128, 64)
    for query in ("", "?lora=gone", "?lora=../ink", "?lora=a&lora=b"):
        assert built.pages.private("GET", f"/preview{query}").status_code == 404
    assert "previews" not in built.engine.message.details and str(tmp_path) not in repr(built.engine.message)
    assert knock(built, "/preview?lora=ink%20wash") == 401


# --- metrics ---------------------------------------------------------------------------------------------------------


def measured(house: Any) -> dict[tuple[str, ...], float]:
    """Each sample by its name and its labels' values in the order of their names."""
    response = house.pages.private("GET", "/metrics")
    assert response.headers["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(response.body.decode())
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, *dict(sorted(sample.labels.items())).values()): sample.value for sample in samples}


def test_jobs_are_counted_where_they_are(house: House) -> None:
    built = house()
    for number in range(3):
        built.submit(f"job-number-{number}")
    built.jobs.end(built.take(), "finished")
    built.take()
    built.clients.append("")
    built.metrics.moved("sent", 5)
    built.metrics.moved("sent", 6)
    found = measured(built)

    assert found["acetate_jobs", "waiting", "foreground"] == found["acetate_jobs", "running", "foreground"] == 1
    assert found["acetate_queue_length", "engine"] == 1 and found["acetate_queue_length", "documents"] == 0
    assert found["acetate_job_seconds_count", "finished", "foreground"] == 1
    assert found["acetate_job_seconds_bucket", "+Inf", "finished", "foreground"] == 1
    assert found["acetate_connections",] == 1 and found["acetate_bytes_total", "sent"] == 11
    assert found["acetate_device", "auto", "starting"] == 1
    assert found["acetate_blob_bytes",] == found["acetate_draining",] == 0
    built.jobs.drain.begin()
    assert measured(built)["acetate_draining",] == 1


def test_metrics_name_no_job_and_no_person(house: House) -> None:
    built = house()
    built.submit("job-number-1")
    text = built.pages.private("GET", "/metrics").body.decode()
    assert "job-number-1" not in text and "a-session" not in text and "a test" not in text
