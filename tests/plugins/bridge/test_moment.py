"""When a result is put in: by itself, when it is chosen, or when the artist's hand is free."""

from __future__ import annotations

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.host import JobPlan
from acetate.plugins.bridge.job import insertion
from acetate.plugins.bridge.surroundings import Surroundings
from acetate.protocol import Box, Finished, Queued

from .fakes import BOX, arrived


def test_where_the_artist_wants_to_choose_a_finished_generation_waits_for_him(stage):
    stage.host.asks_first = True
    result = stage.generate()
    stage.finish(result)
    assert (result.state, stage.jobs.ready, stage.document.layers) == ("ready", [result], ["paper"])
    assert stage.jobs.generation is None, "the next one can be asked for"
    stage.jobs.insert_now(result)
    assert (result.over, stage.jobs.ready, stage.document.layers) == (True, [], ["paper", "fig (7)"])
    assert stage.client.asked("acknowledge") == [((result.job,), {})]


def test_what_he_takes_from_the_history_comes_at_once_all_the_same(stage):
    stage.host.asks_first = True
    result = stage.jobs.insert_again("job-0001", stage.document, JobPlan)
    stage.finish(result)
    assert stage.document.layers == ["paper", "fig (7)"]


def test_a_result_that_waits_can_be_dismissed_and_is_no_failure(stage):
    stage.host.asks_first = True
    result = stage.generate()
    stage.finish(result)
    stage.jobs.cancel(result)
    assert (result.over, result.failure, stage.jobs.ready, stage.document.layers) == (True, None, [], ["paper"])
    stage.jobs.insert_now(result)
    assert stage.document.layers == ["paper"]


def _until_held(stage, result):
    """The insertion of a result, at the place where it waits for a free hand."""
    stage.host.hand_busy, stage.host.at_once = True, False
    stage.host.work()
    stage.take(Queued(result.job, 0), arrived(result.job), Finished(result.job, 1, 2.0))
    (_, (_, then)) = stage.host.waiting.pop()
    work = insertion(stage.host, result)
    while not result.held:
        next(work)
    return work, then


def _ended(work, then):
    try:
        while True:
            next(work)
    except StopIteration as stop:
        then(stop.value, None)
    except Exception as error:
        then(None, error)


def test_a_result_that_waits_for_a_free_hand_is_ready_and_comes_when_it_is_asked_for(stage):
    result = stage.generate()
    work, then = _until_held(stage, result)
    assert (result.state, stage.jobs.ready, stage.document.layers) == ("inserting", [result], ["paper"])
    stage.jobs.insert_now(result)
    _ended(work, then)
    assert (result.over, stage.jobs.ready, stage.document.layers) == (True, [], ["paper", "fig (7)"])


def test_stopping_it_then_leaves_the_document_alone(stage):
    result = stage.generate()
    work, then = _until_held(stage, result)
    stage.jobs.cancel(result)
    _ended(work, then)
    assert (result.over, result.failure, stage.document.layers) == (True, None, ["paper"])


def test_the_selection_is_read_for_a_result_that_is_cut_to_it(stage):
    result = stage.jobs.generate(stage.document, Form(prompt="fig"), lambda: JobPlan(box=BOX, clip="mask"))
    assert result.selection.data == stage.host.mask
    stage.finish(result)
    assert stage.generate().selection is None


def test_a_plan_takes_out_or_hides_only_the_layer_that_there_is_a_new_version_of():
    assert (JobPlan(original="hide").hides, JobPlan(original="replace").replaces) == (None, None)
    hidden = JobPlan(version_of="fox", original="hide", surroundings=Surroundings(Box(0, 0, 1, 1)))
    assert (hidden.hides, hidden.replaces) == ("fox", None)
    assert JobPlan(version_of="fox", original="replace").replaces == "fox"
    assert JobPlan(version_of="fox", original="keep").hides is None
