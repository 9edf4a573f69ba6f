"""Jobs from being accepted to being forgotten, and what their watchers are told, without a socket or a runner."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Cancelled, Failed, Failure, Finished, ProtocolError, Queued, Started
from acetate.protocol.messages import Attach, Export, File, Insert, Submit
from acetate.server.jobs.jobs import JobRegistry

ONE, TWO, THREE = "job-number-1", "job-number-2", "job-number-3"


def submit(job: str, **changes: Any) -> Submit:
    return Submit(job, "foreground", **changes)


def refused(code: str) -> Any:
    return pytest.raises(ProtocolError, check=lambda error: error.failure.code == code)


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_waiting_jobs_are_told_their_places_whenever_these_change(jobs: JobRegistry, listener: Any) -> None:
    client = listener()
    for job in (ONE, TWO, THREE):
        jobs.accept(client, submit(job))
    assert client.heard() == [Queued(ONE, 0), Queued(TWO, 1), Queued(THREE, 2)]
    jobs.take("engine")
    jobs.positions.tell_changed()
    assert client.heard() == [Started(ONE, 1), Queued(TWO, 0), Queued(THREE, 1)]
    jobs.cancel(client, TWO)
    jobs.positions.tell_changed()

    assert client.heard() == [Cancelled(TWO), Queued(THREE, 0)]


def test_a_job_is_on_disk_before_it_is_told(jobs: JobRegistry, listener: Any) -> None:
    class Checking(listener):  # type: ignore[misc]
        def tell(self, message: Any) -> None:
            assert jobs.store.get(message.job) is not None

    jobs.accept(Checking(), submit(ONE))


def test_the_same_job_again_is_only_watched_again(jobs: JobRegistry, listener: Any, finish: Callable[..., None]) -> None:
    first, second = listener(), listener()
    jobs.accept(first, submit(ONE))
    jobs.accept(second, submit(ONE))
    assert len(jobs.lines(first)) == 1 and second.heard() == [Queued(ONE, 0)]
    finish(jobs)
    jobs.accept(second, submit(ONE))

    assert [type(told) for told in second.heard()] == [Started, tuple, Finished, tuple, Finished]
    assert jobs.take("engine") is None


def test_a_job_in_front_overtakes_those_of_its_session_and_one_instead_of_them_cancels_them(
    jobs: JobRegistry, listener: Any
) -> None:
    client, other = listener(), listener("another-session")
    jobs.accept(other, submit("of-the-other"))
    jobs.accept(client, submit(ONE))
    jobs.accept(client, submit(TWO, priority="front"))
    waiting = [line.job for line in jobs.lines(client)]
    assert waiting.index(TWO) < waiting.index(ONE)
    client.heard()
    jobs.accept(client, submit(THREE, priority="replace"))

    assert Cancelled(ONE) in client.told and Cancelled(TWO) in client.told
    assert {line.job for line in jobs.lines(client)} == {"of-the-other", THREE}


def test_a_waiting_job_goes_before_its_persons_others_and_stays_there_after_a_restart(
    start: Callable[..., JobRegistry], listener: Any
) -> None:
    jobs, client, other = start(), listener(), listener("another-session")
    jobs.accept(other, submit(ONE))
    jobs.accept(client, submit(TWO))
    jobs.accept(client, submit(THREE))
    client.heard()
    jobs.advance(other, THREE)
    jobs.positions.tell_changed()
    assert [line.job for line in jobs.lines(client)] == [THREE, ONE, TWO]
    assert Queued(THREE, 0) in client.heard()

    assert [line.job for line in start().lines(client)].index(THREE) < 2


def test_a_job_that_runs_stays_where_it_is_and_anothers_cannot_be_moved(jobs: JobRegistry, listener: Any) -> None:
    anna, ben = listener(person="anna"), listener(person="ben")
    jobs.accept(anna, submit(ONE))
    jobs.take("engine")
    jobs.advance(anna, ONE)

    assert [line.state for line in jobs.lines(anna)] == ["running"]
    with refused("unknown-job"):
        jobs.advance(ben, ONE)


def test_the_list_says_who_asked_and_how_far_it_is(jobs: JobRegistry, listener: Any) -> None:
    client = listener()
    jobs.accept(client, submit(ONE))
    job = jobs.take("engine")
    assert job is not None
    job.fraction, job.seconds_left = 0.25, 12.0
    (line,) = jobs.lines(client)

    assert (line.client, line.fraction, line.seconds_left) == ("a test", 0.25, 12.0)


def fill(jobs: JobRegistry, client: Any) -> int:
    """How many jobs of a client are accepted until one is refused."""
    for number in range(100):
        try:
            jobs.accept(client, submit(f"{client.person}-{client.session}-{number}"))
        except ProtocolError as error:
            assert error.failure.code == "too-many"
            return number
    raise AssertionError("nothing is refused")


def test_a_session_a_person_and_all_together_may_have_so_many_jobs(start: Callable[..., JobRegistry], listener: Any) -> None:
    jobs = start(jobs=12, jobs_per_person=5, jobs_per_session=3)
    sessions = [fill(jobs, listener(f"session-{number}", "anna")) for number in range(3)]
    assert sessions == [3, 2, 0], "more sessions do not make more room"
    assert fill(jobs, listener("a-session", "ben")) == 3


def test_one_person_alone_leaves_half_of_the_places_to_others(start: Callable[..., JobRegistry], listener: Any) -> None:
    jobs = start(jobs=16)
    assert [fill(jobs, listener(person=name)) for name in ("anna", "ben", "cleo", "dora", "emil")] == [8, 4, 2, 1, 1]


# --- persons ---------------------------------------------------------------------------------------------------------


def test_the_job_of_another_is_spoken_of_as_one_that_is_not_there(
    jobs: JobRegistry, listener: Any, finish: Callable[..., None]
) -> None:
    anna, ben = listener(person="anna"), listener(person="ben")
    for job in (ONE, TWO):
        jobs.accept(anna, submit(job))
    finish(jobs)
    asked: list[Callable[[Any, str], object]] = [
        jobs.cancel,
        lambda client, job: jobs.attach(client, Attach(job)),
        lambda client, job: jobs.accept(client, submit(job)),
    ]
    for question in asked:
        for job in (ONE, TWO):
            with refused("unknown-job") as hers:
                question(ben, job)
            with refused("unknown-job") as nobodys:
                jobs.attach(ben, Attach(THREE))
            assert str(hers.value).replace(job, THREE) == str(nobodys.value)
            assert hers.value.failure.hint == nobodys.value.failure.hint
    for job in (ONE, TWO, THREE):
        jobs.discard(ben, job)
        jobs.acknowledge(ben, job)

    assert jobs.lines(ben) == [] and ben.heard() == []
    assert [(line.job, line.state) for line in jobs.lines(anna)] == [(TWO, "waiting"), (ONE, "finished")]


def test_an_admin_sees_and_stops_everybodys_jobs(jobs: JobRegistry, listener: Any) -> None:
    anna, admin = listener(person="anna"), listener()
    jobs.accept(anna, submit(ONE))
    assert [line.job for line in jobs.lines(admin)] == [ONE]
    jobs.attach(admin, Attach(ONE))
    jobs.cancel(admin, ONE)

    assert anna.heard()[-1] == Cancelled(ONE)


def test_one_persons_place_in_the_queue_is_not_taken_by_anothers_replacement(jobs: JobRegistry, listener: Any) -> None:
    anna, ben = listener("the-same-session", "anna"), listener("the-same-session", "ben")
    jobs.accept(anna, submit(ONE))
    jobs.accept(ben, submit(TWO, priority="replace"))

    assert Cancelled(ONE) not in anna.heard()


def test_after_a_start_jobs_belong_to_whom_they_did(start: Callable[..., JobRegistry], listener: Any) -> None:
    start().accept(listener(person="anna"), submit(ONE))
    after = start()

    assert [line.job for line in after.lines(listener(person="anna"))] == [ONE]
    assert after.lines(listener(person="ben")) == []


# --- telling ---------------------------------------------------------------------------------------------------------


def test_who_attaches_is_told_the_story_so_far_and_how_it_goes_on(jobs: JobRegistry, listener: Any) -> None:
    jobs.accept(listener(), submit(ONE))
    late = listener()
    jobs.attach(late, Attach(ONE))
    assert late.heard() == [Queued(ONE, 0)]
    job = jobs.take("engine")
    assert job is not None
    jobs.attach(late, Attach(ONE))
    jobs.end(job, "finished")

    assert [type(told) for told in late.heard()] == [Started, Started, Finished]


def test_of_a_job_that_is_over_the_missing_layers_come_before_the_end(
    jobs: JobRegistry, listener: Any, finish: Callable[..., None]
) -> None:
    jobs.accept(listener(), submit(ONE))
    finish(jobs, layers=3)
    late = listener()
    jobs.attach(late, Attach(ONE, have=(1,), format="rgba16"))
    *layers, end = late.heard()

    assert layers == [(0, "rgba16"), (2, "rgba16")]
    assert isinstance(end, Finished) and (end.layers, end.notes) == (3, ("done",))


def test_of_an_export_the_file_comes_before_the_end(jobs: JobRegistry, listener: Any) -> None:
    jobs.accept(listener(), Export(TWO, (ONE,), "psd"))
    job = jobs.take("documents")
    assert job is not None
    file = File(TWO, "kite.psd", 3, "f" * 64, ("no masks",))
    jobs.store.add_file(file)
    jobs.end(job, "finished")
    late = listener()
    jobs.attach(late, Attach(TWO))

    assert late.heard()[0] == file


@pytest.mark.parametrize(("state", "failure"), [("failed", Failure("out-of-memory", "8 GB")), ("cancelled", None)])
def test_an_end_is_told_again_as_it_was(jobs: JobRegistry, listener: Any, state: Any, failure: Failure | None) -> None:
    first, late = listener(), listener()
    jobs.accept(first, submit(ONE))
    job = jobs.take("engine")
    assert job is not None
    jobs.end(job, state, failure)
    jobs.attach(late, Attach(ONE))

    assert late.heard() == first.heard()[-1:] == [Failed(ONE, failure) if failure else Cancelled(ONE)]


def test_an_end_that_the_store_cannot_take_is_told_nevertheless(
    jobs: JobRegistry, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    client = listener()
    jobs.accept(client, submit(ONE))
    job = jobs.take("engine")
    assert job is not None
    monkeypatch.setattr(jobs.store, "end", full)
    jobs.end(job, "finished")

    assert isinstance(client.told[-1], Finished)


def test_the_list_names_what_runs_what_waits_and_what_nobody_has_acknowledged(
    jobs: JobRegistry, listener: Any, finish: Callable[..., None]
) -> None:
    client = listener()
    for job in (ONE, TWO, THREE):
        jobs.accept(client, submit(job))
    finish(jobs)
    jobs.take("engine")
    assert [(line.job, line.state) for line in jobs.lines(client)] == [(TWO, "running"), (THREE, "waiting"), (ONE, "finished")]
    jobs.acknowledge(client, ONE)

    assert [line.job for line in jobs.lines(client)] == [TWO, THREE]


def test_what_has_come_of_a_layer_or_file_is_not_sent_again(
    jobs: JobRegistry, listener: Any, finish: Callable[..., None]
) -> None:
    jobs.accept(listener(), submit(ONE))
    finish(jobs, layers=3)
    late = listener()
    jobs.attach(late, Attach(ONE, (0,), offsets={"1": 4096}))

    assert late.heard()[:2] == [(1, "rgba8", 4096), (2, "rgba8")]


# --- stopping and forgetting -----------------------------------------------------------------------------------------


def test_a_running_job_is_asked_to_stop_and_one_that_is_over_stays_as_it_is(
    jobs: JobRegistry, listener: Any, finish: Callable[..., None]
) -> None:
    client = listener()
    jobs.accept(client, submit(ONE))
    jobs.accept(client, submit(TWO))
    finish(jobs)
    job = jobs.take("engine")
    assert job is not None
    client.heard()
    jobs.cancel(client, ONE)
    jobs.cancel(client, TWO)

    assert client.heard() == [], "the runner ends it, between two steps"
    assert job.stopping and jobs.stop_requested[TWO].is_set()
    with refused("unknown-job"):
        jobs.cancel(client, THREE)
    with refused("unknown-job"):
        jobs.attach(client, Attach(THREE))


def later(act: Callable[[], None]) -> None:
    """Do it, and let what is to be done a moment later be done."""

    async def scene() -> None:
        act()
        for _ in range(3):
            await asyncio.sleep(0)

    asyncio.run(scene())


def test_a_connection_that_ends_takes_only_jobs_with_it_that_nobody_is_to_keep(
    start: Callable[..., JobRegistry], listener: Any
) -> None:
    jobs, leaving, staying = start(return_seconds=0), listener(), listener()
    jobs.accept(leaving, submit(ONE, keep=False))
    jobs.accept(leaving, submit(TWO))
    jobs.attach(staying, Attach(TWO))
    leaving.heard()
    staying.heard()
    later(lambda: jobs.gone(leaving))

    jobs.positions.tell_changed()
    assert [line.job for line in jobs.lines(staying)] == [TWO] and staying.heard() == [Queued(TWO, 0)]
    assert leaving.heard() == [], "nobody listens there any more"


def test_a_job_goes_on_without_its_connection_while_another_watches_it(start: Callable[..., JobRegistry], listener: Any) -> None:
    jobs, leaving, staying = start(return_seconds=0), listener(), listener()
    jobs.accept(leaving, submit(ONE, keep=False))
    jobs.attach(staying, Attach(ONE))
    later(lambda: jobs.gone(leaving))
    assert [line.job for line in jobs.lines(staying)] == [ONE]
    later(lambda: jobs.gone(staying))

    assert jobs.lines(staying) == []


def test_a_client_that_is_back_in_a_moment_finds_its_job(start: Callable[..., JobRegistry], listener: Any) -> None:
    jobs, client, again = start(return_seconds=0), listener(), listener()
    jobs.accept(client, submit(ONE, keep=False))

    def blip() -> None:
        jobs.gone(client)
        jobs.attach(again, Attach(ONE))

    later(blip)
    assert [line.job for line in jobs.lines(again)] == [ONE] and Cancelled(ONE) not in again.heard()


def test_a_job_is_discarded_with_its_content_and_only_when_it_is_over(jobs: JobRegistry, listener: Any) -> None:
    client = listener()
    jobs.accept(client, Export(ONE, (TWO,), "psd"))
    with refused("bad-request"):
        jobs.discard(client, ONE)
    job = jobs.take("documents")
    assert job is not None
    Path(jobs.blobs.incoming("made")).write_bytes(b"8BPS")
    jobs.blobs.adopt("made", "f" * 64)
    jobs.store.add_file(File(ONE, "kite.psd", 4, "f" * 64))
    jobs.end(job, "finished")
    jobs.discard(client, ONE)

    assert jobs.store.get(ONE) is None and not jobs.blobs.has("f" * 64)


def test_one_picture_of_a_job_is_discarded_alone_and_the_last_takes_the_job_along(
    jobs: JobRegistry, listener: Any, finish: Callable[..., None]
) -> None:
    client = listener()
    jobs.accept(client, submit(ONE))
    finish(jobs)
    jobs.discard(client, ONE, (7,))
    assert len(jobs.store.layers(ONE)) == 1, "there is no such picture"
    jobs.discard(client, ONE, (0,))

    assert jobs.store.get(ONE) is None


def test_a_picture_is_marked_by_whoever_may_see_it_and_one_that_is_not_there_is_refused(
    jobs: JobRegistry, listener: Any, finish: Callable[..., None]
) -> None:
    client = listener()
    jobs.accept(client, submit(ONE))
    finish(jobs)
    jobs.star(client, ONE, 0, True)
    assert jobs.store.starred(ONE) == {0}
    with refused("bad-request"):
        jobs.star(client, ONE, 5, True)
    with refused("unknown-job"):
        jobs.star(client, TWO, 0, True)
    jobs.star(client, ONE, 0, False)

    assert jobs.store.starred(ONE) == set()


def test_a_job_whose_runner_was_lost_has_its_turn_again(jobs: JobRegistry, listener: Any) -> None:
    client = listener()
    for job in (ONE, TWO):
        jobs.accept(client, submit(job))
    lost = jobs.take("engine")
    assert lost is not None
    client.heard()
    jobs.retry(lost)
    assert client.heard() == [Queued(ONE, 0)], "the other's place has not been told to have changed"
    jobs.take("engine")

    assert client.heard()[0] == Started(ONE, 2)


# --- a new start of the server ---------------------------------------------------------------------------------------


def test_after_a_start_the_interrupted_job_is_the_first_and_the_others_wait_as_before(
    start: Callable[..., JobRegistry], listener: Any
) -> None:
    before = start()
    for job in (ONE, TWO, THREE):
        before.accept(listener(), submit(job))
    before.cancel(listener(), ONE)
    before.take("engine")
    after = start()
    order = []
    while (job := after.take("engine")) is not None:
        order.append(job.id)

    assert order == [TWO, THREE]


def test_after_a_start_jobs_that_nobody_would_take_are_over(start: Callable[..., JobRegistry], listener: Any) -> None:
    before = start()
    before.accept(listener(), submit(ONE, keep=False))
    before.accept(listener(), Insert(TWO, "f" * 64, "psd", keep=False))
    before.accept(listener(), submit(THREE))
    before.store._db.execute("UPDATE jobs SET message = json_set(message, '$.task', 7) WHERE job = ?", (THREE,))
    after, late = start(), listener()
    assert [(line.job, line.state) for line in after.lines(late)] == [(THREE, "failed")]
    for job in (ONE, TWO, THREE):
        after.attach(late, Attach(job))

    assert late.told[:2] == [Cancelled(ONE), Cancelled(TWO)]
    assert isinstance(late.told[2], Failed) and late.told[2].failure.code == "internal"


def test_after_a_start_content_that_no_job_knows_is_lost_and_can_be_found(start: Callable[..., JobRegistry]) -> None:
    before = start()
    Path(before.blobs.incoming("orphan")).write_bytes(b"....")
    before.blobs.adopt("orphan", "e" * 64)
    after = start()

    assert after.blobs.lost() == {"e" * 64} and after.blobs.all() == set()
    assert after.blobs.has("e" * 64) and after.blobs.lost() == set(), "whoever names it brings it back"
