"""A job with an editor and a server that are not there: asking, watching, inserting."""

from __future__ import annotations

import pytest
from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.host import DocumentClosedError, JobPlan, RefusedError
from acetate.protocol import (
    Box,
    Failure,
    Finished,
    Image,
    Preview,
    Progress,
    Queued,
    Started,
)

from .fakes import BOX, FakeDocument, arrived

# --- asking ----------------------------------------------------------------------------------------------------------


def test_a_generation_is_submitted_as_planned(stage):
    result = stage.generate(name="fig", format="bgra8")
    ((task, parameters, pictures), named) = stage.client.asked("submit")[0]
    assert (task, parameters.prompt, parameters.seed, pictures) == ("foreground", "fig", 7, {})
    assert named == {"box": BOX, "name": "fig", "format": "bgra8", "keep": True, "job": result.job}
    assert (result.state, stage.jobs.generation) == ("waiting", result)


def test_what_is_refused_is_not_asked(stage):
    def planned():
        raise RefusedError("No. Do this.")

    with pytest.raises(RefusedError, match="No"):
        stage.jobs.generate(stage.document, Form(prompt="fig"), planned)
    with pytest.raises(RefusedError, match="No document is open"):
        stage.generate(document=None)
    assert (stage.jobs.generation, stage.client.calls) == (None, [])


def test_another_generation_may_be_asked_for_while_one_runs_and_each_ends_by_itself(stage):
    first, second = stage.generate(), stage.generate()
    assert (len(stage.client.asked("submit")), stage.jobs.generations) == (2, [first, second])
    stage.take(Queued(first.job, 0), Queued(second.job, 1), Started(first.job))
    stage.finish(first)
    assert (first.over, stage.jobs.generations, stage.document.layers) == (True, [second], ["paper", "fig (7)"])
    stage.finish(second)
    assert stage.jobs.generations == []


def test_the_generation_to_show_is_the_one_that_runs(stage):
    first, second = stage.generate(), stage.generate()
    assert stage.jobs.generation is first, "asked for first"
    stage.take(Started(second.job))
    assert stage.jobs.generation is second, "another client has put it in front"
    stage.take(Queued(second.job, 0))
    assert stage.jobs.generation is first, "it was lost and waits again"


def test_the_layer_and_the_selection_are_read_before_anything_is_sent(slow):
    result = slow.generate(task="repaint", source="paper", source_box=Box(3, 4, 2, 2))
    assert (result.state, result.status.text, slow.client.calls) == ("reading", "Reading the layer", [])
    slow.host.work()
    pictures = slow.client.asked("submit")[0][0][2]
    assert {name: (one.x, one.y, one.content.format) for name, one in pictures.items()} == {
        "source": (3, 4, "rgba8"),
        "mask": (3, 4, "gray8"),
    }


def test_a_repaint_of_nothing_is_refused_when_the_selection_was_read(stage):
    stage.host.mask = bytes(4)
    result = stage.generate(task="repaint", source="paper", source_box=BOX)
    assert result.over and result.failure == Failure("refused", "Nothing is selected", "Select something.")
    assert (stage.client.asked("submit"), stage.jobs.generation, stage.host.done) == ([], None, ["read selection"])


# --- watching --------------------------------------------------------------------------------------------------------


def test_what_the_server_says_is_the_state_to_show(stage):
    result, texts = stage.generate(), []
    picture = Image(1, 1, "rgba8", bytes(4))
    for event in (Queued(result.job, 1), Started(result.job), Progress(result.job, "denoise", 1, 2, 0.5)):
        stage.take(event)
        texts.append(result.status.text)
    stage.take(Preview(result.job, picture))
    assert texts == ["Waiting, 1 ahead of this", "Starting", "Drawing, step 1 of 2"]
    assert (result.status.fraction, result.status.preview) == (0.5, picture)


def test_a_tick_lets_the_host_show_how_far_its_jobs_are(hasty):
    result = hasty.generate()
    hasty.take(Queued(result.job, 1))
    hasty.jobs.tick()
    assert hasty.host.seen[-1] == ("waiting", "Waiting, 1 ahead of this")
    hasty.finish(result)
    told = len(hasty.host.seen)
    hasty.jobs.tick()
    assert len(hasty.host.seen) == told, "what is over is not shown any more"


# --- inserting -------------------------------------------------------------------------------------------------------


def test_a_finished_result_is_inserted_as_one_undo_step_and_acknowledged(stage):
    result = stage.generate()
    stage.finish(result)
    assert stage.document.layers == ["paper", "fig (7)"]
    assert (stage.document.steps, stage.document.in_step) == (1, False)
    assert stage.client.asked("acknowledge") == [((result.job,), {})]
    assert (result.over, result.made, result.failure) == (True, ["fig (7)"], None)
    assert stage.host.seen[-1] == ("over", "Inserting")


def test_nothing_is_acknowledged_before_it_is_in_the_document(slow):
    result = slow.generate()
    slow.host.work()
    slow.finish(result)
    assert (result.state, slow.client.asked("acknowledge"), slow.document.layers) == ("inserting", [], ["paper"])
    slow.host.work()
    assert (result.state, slow.client.asked("acknowledge")) == ("over", [((result.job,), {})])


def test_the_undo_step_is_closed_also_when_the_insertion_fails_and_then_nothing_is_acknowledged(stage, caplog):
    stage.host.fails = ValueError("one byte short")
    result = stage.generate()
    stage.finish(result)
    assert (stage.document.in_step, stage.document.steps) == (False, 1)
    assert result.failure == Failure("internal", "ValueError: one byte short", "The result is in the history.")
    assert (stage.client.asked("acknowledge"), result.made, stage.jobs.generation) == ([], None, None)
    assert "one byte short" in caplog.text


def test_candidates_come_as_one_group_in_one_undo_step(stage):
    result = stage.generate()
    layers = [arrived(result.job, name=f"fig {number}", index=number, picture=number, group=["figs"]) for number in (0, 1)]
    stage.finish(result, *layers)
    assert (stage.document.layers, stage.document.steps) == (["paper", "figs"], 1)


@pytest.mark.parametrize("wanted", [True, False])
def test_the_original_is_hidden_when_that_is_asked_and_only_then(stage, wanted):
    result = stage.generate(
        task="refine", source="paper", source_box=BOX, version_of="paper", original="hide" if wanted else "keep"
    )
    stage.finish(result)
    assert [one for one in stage.host.done if "hide" in one] == (["hide paper"] if wanted else [])


def test_the_mask_of_a_repaint_is_kept_where_the_plan_restores_what_was_not_selected(stage):
    repaint = {"task": "repaint", "source": "paper", "source_box": BOX}
    result = stage.generate(**repaint, restores="paper")
    assert result.mask == stage.host.mask
    stage.finish(result)
    assert stage.generate(**repaint).mask == b""


@pytest.mark.parametrize(("layers", "said"), [([arrived("?", data=b"")], "All is transparent"), ([], "Nothing arrived")])
def test_a_result_without_anything_to_see_is_said_and_stays_unacknowledged(stage, layers, said):
    result = stage.generate(box=Box(0, 0, 300, 300))
    stage.take(*(arrived(result.job, data=b"") for _ in layers), Finished(result.job, len(layers), 2.0))
    assert result.failure is not None and result.failure.message == said
    assert (stage.document.layers, stage.client.asked("acknowledge"), stage.document.steps) == (["paper"], [], 0)


def test_a_document_that_was_closed_meanwhile_gets_nothing(stage):
    result = stage.generate()
    stage.document.open = False
    stage.finish(result)
    assert isinstance(result.error, DocumentClosedError) and result.failure.code == "document-closed"
    assert (stage.document.layers, stage.client.asked("acknowledge")) == (["paper"], [])


def test_a_document_that_is_closed_while_its_insertion_waits_gets_nothing_either(slow):
    result = slow.generate()
    slow.host.work()
    slow.finish(result)
    slow.document.open = False
    slow.host.work()
    assert result.failure.code == "document-closed" and slow.document.layers == ["paper"]


def test_a_host_that_makes_documents_keeps_the_result_and_acknowledges_it(stage):
    def elsewhere(result, item):
        yield
        return [item.name]

    stage.host.insert_elsewhere = elsewhere
    result = stage.generate()
    stage.document.open = False
    stage.finish(result)
    assert (result.made, result.failure) == (["fig (7)"], None)
    assert stage.client.asked("acknowledge") == [((result.job,), {})]


def test_two_results_at_once_go_into_their_own_documents(slow):
    other, ours = FakeDocument(), slow.generate()
    slow.host.work()
    again = slow.jobs.insert_again("job-0001", other, lambda: JobPlan(anchor="paper"))
    slow.finish(ours)
    slow.finish(again, arrived("job-0001", name="old boot"))
    slow.host.work()
    assert (slow.document.layers, other.layers) == (["paper", "fig (7)"], ["paper", "old boot"])
    assert {job for (job,), _ in slow.client.asked("acknowledge")} == {ours.job, "job-0001"}


def test_notes_are_what_was_remarked_the_server_said_and_the_layers_warn_of_each_once(stage):
    result = stage.generate()
    stage.take(
        arrived(result.job, warnings=["hazy"]),
        arrived(result.job, index=1, warnings=["hazy"]),
        Finished(result.job, 2, 1.0, ("cut",)),
    )
    result.remarks = ("drag it down",)
    assert result.notes == ("drag it down", "cut", "hazy")


def test_an_empty_result_without_room_says_that_no_prompt_and_no_seed_would_help(stage):
    tiny, roomy = stage.generate(box=Box(0, 0, 1, 300)), stage.generate(box=Box(0, 0, 300, 300))
    for result in (tiny, roomy):
        stage.finish(result, arrived(result.job, data=b""))
    assert "1 × 300 pixels are too few" in tiny.failure.message + tiny.failure.hint
    assert (roomy.failure.message, roomy.failure.hint) == ("All is transparent", "Try another seed.")
