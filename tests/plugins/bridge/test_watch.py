import pytest
from acetate.plugins.bridge.watch import Watch
from acetate.protocol import (
    Cancelled,
    Connected,
    Disconnected,
    Error,
    Failed,
    Failure,
    Finished,
    Image,
    Preview,
    Progress,
    Queued,
    Started,
    Starting,
)

JOB = "job-0001"
LOST = Failure("connection-lost", "gone")


@pytest.fixture
def watch():
    return Watch(JOB)


def test_the_phase_follows_the_events(watch):
    said = []
    for event in (
        Starting(("acetate",)),
        Queued(JOB, 1),
        Started(JOB),
        Progress(JOB, "denoise", 1, 2, 0.5),
        Finished(JOB, 1, 2.0),
    ):
        watch.take(event, 0.0)
        said.append(watch.text)
    assert said == ["Starting the Acetate server", "Waiting, 1 before this", "Beginning", "Drawing, step 1 of 2", "Done"]
    assert (watch.fraction, watch.outcome, watch.over) == (0.5, "finished", True)


def test_other_jobs_are_passed_over(watch):
    watch.take(Failed("job-0002", LOST), 0.0)
    assert not watch.over


def test_the_newest_preview_is_kept(watch):
    for value in b"ab":
        watch.take(Preview(JOB, Image(1, 1, "rgba8", bytes([value] * 4))), 0.0)
    assert watch.preview.data == b"bbbb"


def test_a_lost_connection_does_not_end_a_job(watch):
    watch.take(Disconnected(LOST, 1.0), 10.0)
    assert (watch.over, watch.failure, watch.lost_since) == (False, LOST, 10.0)
    watch.take(Connected(None), 12.0)
    assert (watch.failure, watch.lost_since) == (None, None)


def test_a_host_that_cannot_wait_gives_a_lost_job_up(watch):
    watch.take(Disconnected(LOST, 1.0), 10.0)
    watch.take(Disconnected(LOST, 2.0), 20.0)
    watch.give_up_after(30.0, 39.0)
    assert not watch.over
    watch.give_up_after(30.0, 41.0)
    assert (watch.outcome, watch.failure) == ("failed", LOST)


def test_a_message_that_the_server_could_not_even_read_ends_only_what_it_has_not_accepted(watch):
    accepted, unreadable = Watch(JOB), Failure("too-large", "the message is too long")
    accepted.take(Queued(JOB, 0), 0.0)
    for one in (watch, accepted):
        one.take(Error(unreadable), 0.0)
    assert (watch.outcome, watch.failure, accepted.outcome) == ("failed", unreadable, None)


def test_an_error_about_something_else_ends_nothing(watch):
    watch.take(Error(LOST, "list-history"), 0.0)
    assert not watch.over


def test_what_waiting_does_not_cure_ends_it_at_once(watch):
    watch.take(Disconnected(Failure("no-server", "none"), 1.0), 0.0)
    assert watch.outcome == "failed"


def test_a_patient_watch_waits_for_a_server_that_has_the_job():
    watch = Watch(JOB, patient=True)
    watch.take(Queued(JOB, 0), 0.0)
    watch.take(Disconnected(Failure("no-server", "none"), 1.0), 1.0)
    assert not watch.over
    watch.take(Finished(JOB, 1, 2.0), 2.0)
    assert watch.outcome == "finished"


def test_a_patient_watch_does_not_wait_for_a_server_that_never_heard_of_the_job():
    watch = Watch(JOB, patient=True)
    watch.take(Disconnected(Failure("no-server", "none"), 1.0), 0.0)
    assert watch.outcome == "failed"


def test_stopping_is_no_failure_but_being_stopped_is_said(watch):
    stopped, other = Watch(JOB, stopping=True), Watch(JOB)
    stopped.take(Cancelled(JOB), 0.0)
    other.take(Cancelled(JOB), 0.0)
    assert (stopped.outcome, stopped.failure) == ("cancelled", None)
    assert other.failure is not None


def test_nothing_changes_after_the_end(watch):
    watch.take(Finished(JOB, 0, 0.0), 0.0)
    watch.take(Failed(JOB, LOST), 0.0)
    assert watch.outcome == "finished"
