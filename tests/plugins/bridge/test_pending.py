"""A result that is on its way: what there is to tell of it, and why there is none."""

import pytest
from acetate.plugins.bridge.host import DocumentClosedError, RefusedError
from acetate.plugins.bridge.job_status import JobStatus
from acetate.plugins.bridge.pending import PendingResult, refusal
from acetate.protocol import Failure

SERVERS = Failure("out-of-memory", "out of memory")


def test_a_refusal_is_its_first_sentence_and_what_to_do():
    assert refusal(RefusedError("The v1.2 is empty. Do this. And that.")) == Failure(
        "refused", "The v1.2 is empty", "Do this. And that."
    )
    assert refusal(RefusedError("It is empty.")) == Failure("refused", "It is empty", "")


def pending(**more):
    return PendingResult(JobStatus("job-0001"), **more)


def test_nothing_is_wrong_with_a_result_until_something_is():
    assert pending().failure is None
    stopped = pending(state="over")
    stopped.status.outcome = "cancelled"
    assert stopped.over and stopped.failure is None


def test_what_went_wrong_here_is_told_before_what_the_server_says():
    result = pending()
    result.status.failure = SERVERS
    assert result.failure == SERVERS
    result.error = RefusedError("It is full. Make room.")
    assert result.failure == Failure("refused", "It is full", "Make room.")


@pytest.mark.parametrize(
    ("error", "code"),
    [(DocumentClosedError(), "document-closed"), (KeyError("layer"), "internal"), (OSError(5, "gone"), "internal")],
)
def test_a_result_that_could_not_be_put_in_is_said_to_be_in_the_history(error, code):
    failure = pending(error=error).failure
    assert failure.code == code and "history" in failure.hint


def test_an_error_that_nobody_foresaw_is_told_with_its_kind():
    assert "KeyError" in pending(error=KeyError("layer")).failure.message


def test_a_job_without_a_number_yet_has_an_empty_one():
    assert (pending().job, PendingResult(JobStatus()).job) == ("job-0001", "")


def test_two_results_of_the_same_job_are_two_results():
    assert pending() != pending(), "each is looked up by itself"
