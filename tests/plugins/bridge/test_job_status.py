import pytest
from acetate.plugins.bridge.job_status import JobStatus
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
def status():
    return JobStatus(JOB)


def test_the_phase_follows_the_events(status):
    said = []
    for event in (
        Starting(("acetate",)),
        Queued(JOB, 1),
        Started(JOB),
        Progress(JOB, "denoise", 1, 2, 0.5),
        Finished(JOB, 1, 2.0),
    ):
        status.take(event, 0.0)
        said.append(status.text)
    assert said == ["Starting the Acetate server", "Waiting, 1 ahead of this", "Starting", "Drawing, step 1 of 2", "Done"]
    assert (status.fraction, status.outcome, status.over) == (0.5, "finished", True)


def test_loading_is_no_share_of_the_work(status):
    told = []
    for event in (Progress(JOB, "load", 0, 1, 0.25), Progress(JOB, "denoise", 1, 2, 0.5), Progress(JOB, "load", 0, 1, 0.5)):
        status.take(event, 0.0)
        told.append((status.fraction, status.text))
    assert told == [(None, "Loading the model"), (0.5, "Drawing, step 1 of 2"), (None, "Loading the model")]


def test_a_job_runs_from_its_start_until_it_has_to_wait_again(status):
    told = []
    for event in (Queued(JOB, 0), Started(JOB), Progress(JOB, "denoise", 1, 2, 0.5), Queued(JOB, 0), Started(JOB, 2)):
        status.take(event, 0.0)
        told.append((status.running, status.fraction))
    assert told == [(False, None), (True, None), (True, 0.5), (False, 0.5), (True, None)]


def test_other_jobs_are_passed_over(status):
    status.take(Failed("job-0002", LOST), 0.0)
    assert not status.over


def test_the_newest_preview_is_kept(status):
    for value in b"ab":
        status.take(Preview(JOB, Image(1, 1, "rgba8", bytes([value] * 4))), 0.0)
    assert status.preview.data == b"bbbb"


def test_a_lost_connection_does_not_end_a_job(status):
    status.take(Disconnected(LOST, 1.0), 10.0)
    assert (status.over, status.failure, status.lost_since) == (False, LOST, 10.0)
    status.take(Connected(None), 12.0)
    assert (status.failure, status.lost_since) == (None, None)


def test_a_job_that_no_server_has_heard_of_ends_when_trying_again_has_not_helped(status):
    accepted = JobStatus(JOB)
    accepted.take(Queued(JOB, 0), 0.0)
    for one in (status, accepted):
        one.take(Disconnected(LOST, 1.0), 1.0)
        assert not one.over
        one.take(Disconnected(LOST, 1.0, settled=True), 5.0)
    assert (status.outcome, status.failure, accepted.outcome) == ("failed", LOST, None)


def test_a_host_that_cannot_wait_gives_a_lost_job_up(status):
    status.take(Disconnected(LOST, 1.0), 10.0)
    status.take(Disconnected(LOST, 2.0), 20.0)
    status.give_up_after(30.0, 39.0)
    assert not status.over
    status.give_up_after(30.0, 41.0)
    assert (status.outcome, status.failure) == ("failed", LOST)


def test_a_message_that_the_server_could_not_even_read_ends_only_what_it_has_not_accepted(status):
    accepted, unreadable = JobStatus(JOB), Failure("too-large", "the message is too long")
    accepted.take(Queued(JOB, 0), 0.0)
    for one in (status, accepted):
        one.take(Error(unreadable), 0.0)
    assert (status.outcome, status.failure, accepted.outcome) == ("failed", unreadable, None)


def test_an_error_about_something_else_ends_nothing(status):
    status.take(Error(LOST, "list-history"), 0.0)
    assert not status.over


def test_what_waiting_does_not_cure_ends_it_at_once(status):
    status.take(Disconnected(Failure("no-server", "none"), 1.0), 0.0)
    assert status.outcome == "failed"


def test_a_patient_watch_waits_for_a_server_that_has_the_job():
    status = JobStatus(JOB, patient=True)
    status.take(Queued(JOB, 0), 0.0)
    status.take(Disconnected(Failure("no-server", "none"), 1.0), 1.0)
    assert not status.over
    status.take(Finished(JOB, 1, 2.0), 2.0)
    assert status.outcome == "finished"


def test_a_patient_watch_does_not_wait_for_a_server_that_never_heard_of_the_job():
    status = JobStatus(JOB, patient=True)
    status.take(Disconnected(Failure("no-server", "none"), 1.0), 0.0)
    assert status.outcome == "failed"


def test_stopping_is_no_failure_but_being_stopped_is_said(status):
    stopped, other = JobStatus(JOB, stopping=True), JobStatus(JOB)
    stopped.take(Cancelled(JOB), 0.0)
    other.take(Cancelled(JOB), 0.0)
    assert (stopped.outcome, stopped.failure) == ("cancelled", None)
    assert other.failure is not None


def test_nothing_changes_after_the_end(status):
    status.take(Finished(JOB, 0, 0.0), 0.0)
    status.take(Failed(JOB, LOST), 0.0)
    assert status.outcome == "finished"
