"""The client's jobs without a socket or a thread: what is sent in which order, and what happens by the server's answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from acetate.protocol import (
    Cancelled,
    Failed,
    Failure,
    FileReady,
    Finished,
    HistoryPage,
    Image,
    LayerReady,
    NotDelivered,
    Queued,
    Receiving,
    Started,
)
from acetate.protocol import messages as wire
from acetate.protocol.client.job_session import JobSession
from acetate.protocol.client.pending_job import MAX_OFFERS, PendingJob
from acetate.protocol.frames import SENT_PART_BYTES, FilePart, PixelPart, ThumbnailFrame, unpack_upload
from acetate.protocol.link import Link

JOB, OTHER = "j" * 32, "k" * 32
PICTURE, MASK = Image(1, 1, "rgba8", b"\x01\x02\x03\x04"), Image(1, 1, "gray8", b"\x05")
KNOWN = "c" * 64
SUBMIT, HAVE_IT = wire.Submit(JOB, "foreground"), wire.Have(PICTURE.sha256, 4, complete=True)


def refining(job: str = JOB, **given: Image | str) -> PendingJob:
    """A job that works on these pictures."""
    places = wire.Conditions(**{role: wire.Placed("0" * 64, 3, 4) for role in given})
    return PendingJob(wire.Submit(job, "refine", conditions=places, format="bgra8"), given)


def sent(session: JobSession) -> list[wire.ClientMessage | bytes]:
    """All that is to be sent now; pictures are hashed when that is asked for."""
    found: list[wire.ClientMessage | bytes] = []
    while (item := session.next_to_send()) is not None:
        if isinstance(item, PendingJob):
            session.offer(item, item.names())
        else:
            found.append(item)
    return found


def types(items: list[wire.ClientMessage | bytes]) -> list[str]:
    return ["part" if isinstance(item, bytes) else item.TYPE for item in items]


def layer(index: int, job: str = JOB) -> wire.Layer:
    return wire.Layer(job, index, "kite", "foreground", 0, 0, 1, 1, wire.Box(0, 0, 1, 1), "rgba8", 4, "0" * 64)


def refusal(about: str, code: str, *sha256: str, job: str | None = JOB) -> wire.Error:
    return wire.Error(Failure(code, "no"), about, job, sha256)


@pytest.fixture
def session() -> JobSession:
    """A session with a connection."""
    connected = JobSession()
    connected.connected(Link(["raw"]))
    return connected


# --- uploads ---------------------------------------------------------------------------------------------------------


def test_a_job_is_asked_for_when_its_last_picture_has_arrived(session: JobSession) -> None:
    session.begin(refining(source=PICTURE, mask=MASK))
    assert types(sent(session)) == ["upload", "upload"]
    session.receive(wire.Have(PICTURE.sha256, 0, complete=False))
    (part,) = sent(session)
    assert isinstance(part, bytes) and unpack_upload(part)[1] == PICTURE.data
    session.receive(HAVE_IT)
    assert sent(session) == []
    session.receive(wire.Have(MASK.sha256, 1, complete=True))
    (asked,) = sent(session)

    assert isinstance(asked, wire.Submit) and asked.conditions.source == wire.Placed(PICTURE.sha256, 3, 4)
    assert asked.conditions.mask == wire.Placed(MASK.sha256, 3, 4) and asked.conditions.background is None


def test_the_bytes_of_a_file_are_uploaded_before_its_layers_are_asked_for(session: JobSession) -> None:
    session.begin(PendingJob(wire.Insert(JOB, "0" * 64, "psd"), {"file": b"8BPS"}))
    (upload,) = sent(session)
    assert isinstance(upload, wire.Upload)
    session.receive(wire.Have(upload.sha256, 4, complete=True))

    assert sent(session) == [wire.Insert(JOB, upload.sha256, "psd")]


def test_a_picture_that_is_given_by_its_name_is_not_uploaded(session: JobSession) -> None:
    session.begin(refining(source=KNOWN))
    (asked,) = sent(session)

    assert isinstance(asked, wire.Submit) and asked.conditions.source == wire.Placed(KNOWN, 3, 4)


def test_a_picture_of_two_jobs_is_uploaded_once_and_each_is_asked_for_once(session: JobSession) -> None:
    session.begin(refining(JOB, source=PICTURE))
    session.begin(refining(OTHER, source=PICTURE))
    assert types(sent(session)) == ["upload"]
    session.receive(HAVE_IT)
    assert [item.job for item in sent(session) if isinstance(item, wire.Submit)] == [JOB, OTHER]
    session.receive(HAVE_IT)

    assert sent(session) == []


def test_a_picture_that_was_uploaded_ahead_is_not_uploaded_for_its_job(session: JobSession) -> None:
    session.upload(PICTURE.sha256, PICTURE)
    assert types(sent(session)) == ["upload"]
    session.receive(HAVE_IT)
    session.begin(refining(source=PICTURE))

    assert types(sent(session)) == ["submit"]


def test_what_was_uploaded_ahead_is_not_kept_when_the_server_has_it(session: JobSession) -> None:
    session.upload(PICTURE.sha256, PICTURE)
    sent(session)
    session.receive(HAVE_IT)
    session.disconnected()
    session.connected(Link(["raw"]))

    assert sent(session) == []


def test_messages_overtake_the_parts_of_uploads(session: JobSession) -> None:
    content = bytes(3 * SENT_PART_BYTES)
    session.upload(KNOWN, content)
    assert types(sent(session)) == ["upload"]
    session.receive(wire.Have(KNOWN, 0, complete=False))
    assert isinstance(session.next_to_send(), bytes)
    session.cancel(OTHER)

    assert types(sent(session)) == ["cancel", "part", "part"]


def test_an_upload_goes_on_where_the_server_has_it(session: JobSession) -> None:
    session.upload(KNOWN, b"12345")
    sent(session)
    session.receive(wire.Have(KNOWN, 3, complete=False))

    assert [bytes(unpack_upload(part)[1]) for part in sent(session) if isinstance(part, bytes)] == [b"45"]


def test_evicted_pictures_are_uploaded_again_a_few_times(session: JobSession) -> None:
    session.begin(refining(source=PICTURE))
    for _ in range(MAX_OFFERS - 1):
        assert types(sent(session)) == ["upload"]
        session.receive(HAVE_IT)
        assert types(sent(session)) == ["submit"]
        assert session.receive(refusal("submit", "unknown-image", PICTURE.sha256)) == []
    sent(session)
    session.receive(HAVE_IT)
    sent(session)

    assert session.receive(refusal("submit", "unknown-image", PICTURE.sha256)) == [Failed(JOB, Failure("unknown-image", "no"))]
    assert sent(session) == []


def test_pictures_that_a_job_has_only_named_are_not_offered(session: JobSession) -> None:
    session.begin(refining(source=KNOWN, mask=MASK))
    sent(session)

    (failed,) = session.receive(refusal("submit", "unknown-image", KNOWN))
    assert isinstance(failed, Failed) and sent(session) == []


def test_a_refused_upload_is_the_end_of_every_job_that_needs_it_and_of_no_other(session: JobSession) -> None:
    third = "m" * 32
    for job in (refining(JOB, source=PICTURE), refining(OTHER, source=PICTURE), refining(third, source=MASK)):
        session.begin(job)
    sent(session)
    failed = session.receive(refusal("upload", "too-large", PICTURE.sha256, job=None))

    assert failed == [Failed(job, Failure("too-large", "no")) for job in (JOB, OTHER)]
    assert [session.is_told(job) for job in (JOB, OTHER, third)] == [False, False, True]


def test_a_refusal_that_hits_no_job_is_told_as_it_is(session: JobSession) -> None:
    for error in (refusal("cancel", "unknown-job"), refusal("submit", "bad-request"), refusal("", "bad-message", job=None)):
        assert session.receive(error) == [error]


# --- a connection that comes and goes --------------------------------------------------------------------------------


def test_without_a_connection_nothing_is_sent() -> None:
    session = JobSession()
    session.begin(PendingJob(SUBMIT))
    session.upload(PICTURE.sha256, PICTURE)
    session.send(wire.ListJobs())
    assert not session.has_work and session.next_to_send() is None
    session.connected(Link(["raw"]))

    assert session.has_work and types(sent(session)) == ["upload", "submit", "jobs"]


def test_a_job_that_was_not_accepted_is_asked_for_again_with_its_pictures(session: JobSession) -> None:
    session.begin(refining(source=PICTURE))
    sent(session)
    session.receive(HAVE_IT)
    sent(session)
    session.disconnected()
    session.connected(Link(["raw"]))
    assert types(sent(session)) == ["upload"]
    session.receive(HAVE_IT)

    assert types(sent(session)) == ["submit"]


def test_an_accepted_job_is_attached_to_and_only_the_missing_layers_are_asked_for(session: JobSession) -> None:
    session.begin(refining(source=KNOWN))
    sent(session)
    session.receive(Queued(JOB, 0))
    for index in (2, 0):
        session.receive(layer(index))
        session.receive_part(PixelPart(JOB, index, 0, 4), b"rgba")
    session.disconnected()
    session.connected(Link(["raw"]))

    assert sent(session) == [wire.Attach(JOB, (0, 2), "bgra8")]


def test_an_export_is_attached_to_in_a_format_that_every_server_knows(session: JobSession) -> None:
    session.begin(PendingJob(wire.Export(JOB, (OTHER,), "psd")))
    session.receive(Started(JOB))
    session.disconnected()
    session.connected(Link(["raw"]))

    assert sent(session) == [wire.Attach(JOB, (), "rgba8")]


def test_half_a_layer_is_begun_again_over_the_next_connection(session: JobSession) -> None:
    session.begin(PendingJob(SUBMIT))
    session.receive(Queued(JOB, 0))
    session.receive(layer(0))
    assert session.receive_part(PixelPart(JOB, 0, 0, 2), b"rg") == [Receiving(JOB, 0, 2, 4)]
    session.disconnected()
    session.connected(Link(["raw"]))
    session.receive(layer(0))
    session.receive_part(PixelPart(JOB, 0, 0, 2), b"RG")

    assert session.receive_part(PixelPart(JOB, 0, 2, 2), b"BA") == [LayerReady(layer(0), b"RGBA")]


def test_small_pictures_of_a_page_that_was_lost_are_not_on_the_next_page(session: JobSession) -> None:
    session.receive_part(ThumbnailFrame(JOB, 1, 1, 4), b"rgba")
    session.disconnected()
    session.connected(Link(["raw"]))
    session.receive_part(ThumbnailFrame(OTHER, 1, 1, 4), b"rgba")
    (page,) = session.receive(wire.History(()))

    assert isinstance(page, HistoryPage) and set(page.thumbnails) == {(OTHER, 0)}


def test_what_no_state_hangs_on_waits_for_the_next_connection(session: JobSession) -> None:
    kept = [wire.Acknowledge(JOB), wire.Discard(JOB), wire.Star(JOB, 0), wire.ListJobs(), wire.ListHistory()]
    for message in kept:
        session.send(message)
    session.cancel(OTHER)
    session.disconnected()
    session.connected(Link(["raw"]))

    assert sent(session) == kept


def test_pictures_whose_hashing_outlived_a_connection_are_uploaded_over_the_next(session: JobSession) -> None:
    session.begin(refining(source=PICTURE))
    hashing = session.next_to_send()
    assert isinstance(hashing, PendingJob)
    session.disconnected()
    session.offer(hashing, hashing.names())
    session.connected(Link(["raw"]))

    assert types(sent(session)) == ["upload"]


def test_it_is_flushed_when_the_server_has_everything_and_has_accepted_every_job(session: JobSession) -> None:
    assert session.is_flushed
    session.begin(PendingJob(SUBMIT))
    assert not session.is_flushed
    sent(session)
    assert not session.is_flushed
    session.receive(Queued(JOB, 0))
    assert session.is_flushed
    session.send(wire.ListJobs())
    assert not session.is_flushed


# --- cancelling ------------------------------------------------------------------------------------------------------


def test_a_job_that_was_cancelled_without_a_connection_is_asked_for_and_stopped() -> None:
    """The server may know it: from a connection that broke before it could say so."""
    session = JobSession()
    session.begin(PendingJob(SUBMIT))
    session.cancel(JOB)
    session.connected(Link(["raw"]))

    assert types(sent(session)) == ["submit", "cancel"]


def test_an_accepted_job_that_was_cancelled_without_a_connection_is_attached_to_and_stopped(session: JobSession) -> None:
    session.begin(PendingJob(SUBMIT))
    session.receive(Started(JOB))
    session.disconnected()
    session.cancel(JOB)
    session.connected(Link(["raw"]))

    assert types(sent(session)) == ["attach", "cancel"]


def test_a_job_that_was_cancelled_during_its_upload_is_stopped_as_soon_as_the_server_knows_it(session: JobSession) -> None:
    session.begin(refining(source=PICTURE))
    sent(session)
    session.cancel(JOB)
    assert sent(session) == [], "the server would not know what is meant"
    session.receive(HAVE_IT)

    assert types(sent(session)) == ["submit", "cancel"]


def test_a_job_of_another_client_can_be_cancelled(session: JobSession) -> None:
    session.cancel(OTHER)

    assert sent(session) == [wire.Cancel(OTHER)]


# --- one story, one end ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [Finished(JOB, 0, 0.5), Failed(JOB, Failure("internal", "no")), Cancelled(JOB)])
def test_a_job_ends_once(session: JobSession, end: Finished | Failed | Cancelled) -> None:
    session.begin(PendingJob(SUBMIT))
    assert session.is_told(JOB)

    assert session.receive(end) == [end] and not session.is_told(JOB)
    assert session.receive(Finished(JOB, 0, 0.7)) == session.receive(Cancelled(JOB)) == []


def test_a_layer_is_told_once_and_not_after_the_end(session: JobSession) -> None:
    session.begin(PendingJob(SUBMIT))
    pixels = PixelPart(JOB, 0, 0, 4)
    told = []
    for message in (layer(0), layer(0), Finished(JOB, 1, 0.5), layer(0)):
        told += session.receive(message)
        told += session.receive_part(pixels, b"rgba")

    assert told == [LayerReady(layer(0), b"rgba"), Finished(JOB, 1, 0.5)]


def test_a_job_that_is_being_told_is_not_asked_for_a_second_time(session: JobSession) -> None:
    """The end of the first story would cut off the layers of the second."""
    session.begin(PendingJob(SUBMIT))
    sent(session)
    session.attach(wire.Attach(JOB))
    session.begin(PendingJob(SUBMIT))
    assert sent(session) == []
    session.receive(Finished(JOB, 0, 0.5))
    session.attach(wire.Attach(JOB, (1,), "rgba16"))

    assert sent(session) == [wire.Attach(JOB, (1,), "rgba16")] and session.is_told(JOB)


def test_a_file_is_put_together_from_its_parts(session: JobSession) -> None:
    session.begin(PendingJob(wire.Export(JOB, (OTHER,), "psd")))
    file = wire.File(JOB, "kite.psd", 4, "0" * 64)
    assert session.receive(file) == []
    assert session.receive_part(FilePart(JOB, 0, 3), b"8BP") == [Receiving(JOB, None, 3, 4)]

    assert session.receive_part(FilePart(JOB, 3, 1), b"S") == [FileReady(file, b"8BPS")]


# --- what comes in part, and what does not come ----------------------------------------------------------------------

LARGE = replace(layer(2), width=2, height=1, bytes=8)


def interrupted(session: JobSession) -> list[wire.ClientMessage | bytes]:
    """What is sent over the next connection, when half of a layer had come over the one before."""
    session.begin(PendingJob(SUBMIT))
    sent(session)
    session.receive(Started(JOB))
    session.receive(LARGE)
    session.receive_part(PixelPart(JOB, 2, 0, 4), b"half")
    session.disconnected()
    session.connected(Link(["raw"]))
    return sent(session)


def test_a_layer_goes_on_where_it_was_over_the_next_connection(session: JobSession) -> None:
    assert interrupted(session) == [wire.Attach(JOB, (), None, {"2": 4})]
    session.receive(LARGE)

    assert session.receive_part(PixelPart(JOB, 2, 4, 4), b"more") == [LayerReady(LARGE, b"halfmore")]


def test_a_server_may_begin_again_all_the_same(session: JobSession) -> None:
    interrupted(session)
    session.receive(LARGE)
    assert session.receive_part(PixelPart(JOB, 2, 0, 4), b"anew") == [Receiving(JOB, 2, 4, 8)]

    assert session.receive_part(PixelPart(JOB, 2, 4, 4), b"more") == [LayerReady(LARGE, b"anewmore")]


def test_a_layer_that_has_become_another_begins_anew(session: JobSession) -> None:
    interrupted(session)
    other = replace(LARGE, sha256="1" * 64)
    session.receive(other)
    session.receive_part(PixelPart(JOB, 2, 0, 4), b"anew")

    assert session.receive_part(PixelPart(JOB, 2, 4, 4), b"more") == [LayerReady(other, b"anewmore")]


def test_half_a_file_is_not_asked_for_twice_either(session: JobSession) -> None:
    session.begin(PendingJob(wire.Export(JOB, (OTHER,), "psd")))
    sent(session)
    session.receive(Started(JOB))
    session.receive(wire.File(JOB, "kite.psd", 8, "0" * 64))
    session.receive_part(FilePart(JOB, 0, 4), b"half")
    session.disconnected()
    session.connected(Link(["raw"]))

    assert sent(session) == [wire.Attach(JOB, (), "rgba8", {"file": 4})]


def test_what_cannot_be_delivered_is_told_once_and_the_job_goes_on_to_its_end(session: JobSession) -> None:
    failure = Failure("content-broken", "layer 2 is damaged")
    told = [NotDelivered(JOB, 2, failure)]
    interrupted(session)
    session.receive(LARGE)
    assert session.receive(wire.Error(failure, "layer", JOB, index=2)) == told
    session.disconnected()
    session.connected(Link(["raw"]))
    assert sent(session) == [wire.Attach(JOB)], "and what had come of it is worth nothing"
    assert session.receive(wire.Error(failure, "layer", JOB, index=2)) == []
    session.receive(layer(3))
    assert session.receive_part(PixelPart(JOB, 3, 0, 4), bytes(4)) == [LayerReady(layer(3), bytes(4))]

    assert session.receive(Failed(JOB, failure)) == [Failed(JOB, failure)]
    assert session.receive(wire.Error(failure, "layer", JOB, index=2)) == [], "of a job that is over"
