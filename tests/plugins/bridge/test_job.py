"""From the click to the layer with an editor and a server that are not there: every way that a job can go."""

from __future__ import annotations

import pytest
from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.host import DocumentClosedError, JobPlan, RefusedError
from acetate.plugins.bridge.job import EditorJobs
from acetate.protocol import (
    Box,
    Cancelled,
    Connected,
    Disconnected,
    Failed,
    Failure,
    FileReady,
    Finished,
    Image,
    Preview,
    Progress,
    Queued,
    Started,
)
from acetate.protocol.messages import File

from .fakes import FakeClient, FakeDocument, FakeHost, arrived

BOX = Box(0, 0, 2, 2)
LOST = Failure("connection-lost", "the connection is lost")
NO_SERVER = Failure("no-server", "no server is running")


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Stage:
    """One document, one host, one client."""

    def __init__(self, **more):
        self.client, self.host, self.clock, self.document = FakeClient(), FakeHost(**more), Clock(), FakeDocument()
        self.jobs = EditorJobs(self.host, lambda: self.client, self.clock)

    def generate(self, *, task="foreground", document=..., **plan):
        chosen = self.document if document is ... else document
        form = Form(task=task, prompt="fig", seed=7)
        return self.jobs.generate(chosen, form, lambda: JobPlan(**{"box": BOX, "anchor": "paper", **plan}))

    def take(self, *events):
        for event in events:
            self.jobs.take(event)

    def finish(self, result, *layers):
        self.take(Queued(result.job, 0), *(layers or [arrived(result.job)]), Finished(result.job, 1, 2.0))


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def slow():
    """A host that works in turns, as Krita does."""
    return Stage(at_once=False)


@pytest.fixture
def hasty():
    """A host that does not wait for ever, as GIMP's."""
    return Stage(lost_seconds=30.0, stop_seconds=5.0)


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


def test_a_second_click_while_a_generation_runs_does_nothing(slow):
    first = slow.generate()
    assert slow.generate() is first
    slow.host.work()
    assert slow.generate() is first
    assert len(slow.client.asked("submit")) == 1
    slow.finish(first)
    assert slow.generate() is first, "it is still being inserted"
    slow.host.work()
    assert slow.generate() is not first


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
    result = stage.generate(task="refine", source="paper", source_box=BOX, hides="paper" if wanted else None)
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
    result = stage.generate()
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


# --- the history and files -------------------------------------------------------------------------------------------


def test_a_finished_job_is_attached_to_and_inserted_and_asking_again_meanwhile_is_one_insertion(stage):
    first, *others = [stage.jobs.insert_again("job-0001", stage.document, lambda: JobPlan(format="bgra8")) for _ in range(3)]
    assert stage.client.asked("attach") == [(("job-0001",), {"format": "bgra8"})]
    assert others == [first, first]
    stage.finish(first)
    assert stage.document.layers == ["paper", "fig (7)"]
    assert stage.jobs.insert_again("job-0001", stage.document, JobPlan) is not first, "and then once more"


def test_the_layers_of_a_file_are_sent_for_and_inserted(stage, tmp_path):
    path = tmp_path / "figs.PSD"
    path.write_bytes(b"8BPS")
    result = stage.jobs.insert_file(path, stage.document, lambda: JobPlan(title="figs.PSD"))
    assert stage.client.asked("insert_file") == [((b"8BPS", "psd"), {"format": "rgba8", "job": result.job})]
    stage.finish(result, arrived(result.job), arrived(result.job, index=1))
    assert stage.document.layers == ["paper", "figs.PSD"]


def test_a_file_that_cannot_be_inserted_is_said(stage, tmp_path):
    with pytest.raises(RefusedError, match="song.mp3 is not a picture"):
        stage.jobs.insert_file(tmp_path / "song.mp3", stage.document, JobPlan)
    missing = stage.jobs.insert_file(tmp_path / "none.psd", stage.document, JobPlan)
    assert missing.failure == Failure("refused", "none.psd cannot be read: No such file or directory", "Choose another file.")
    (tmp_path / "empty.psd").touch()
    assert stage.jobs.insert_file(tmp_path / "empty.psd", stage.document, JobPlan).failure.message == "empty.psd is empty"
    assert stage.client.calls == []


def exported(result, data=b"PNG"):
    return FileReady(File(result.job, "fig.png", len(data), "0" * 64, ("no groups",)), data)


def test_a_saved_result_is_over_when_its_file_is_there(slow, tmp_path):
    path = tmp_path / "fig.png"
    result = slow.jobs.save("job-0001", path)
    assert slow.client.asked("export") == [((["job-0001"], "png"), {"job": result.job})]
    slow.take(Queued(result.job, 0), exported(result), Finished(result.job, 0, 1.0, ("no groups",)))
    assert (result.state, path.exists()) == ("writing", False)
    slow.host.work()
    assert (result.over, result.made, path.read_bytes(), result.notes) == (True, path, b"PNG", ("no groups",))
    assert slow.client.asked("acknowledge") == []


def test_a_file_that_is_written_before_the_job_has_ended_waits_for_its_end(stage, tmp_path):
    result = stage.jobs.save("job-0001", tmp_path / "fig.png")
    stage.take(exported(result))
    assert (result.over, (tmp_path / "fig.png").exists()) == (False, True)
    stage.take(Finished(result.job, 0, 1.0))
    assert result.over and result.failure is None


def test_a_file_that_cannot_be_written_is_said_and_one_that_never_comes_too(stage, tmp_path):
    result = stage.jobs.save("job-0001", tmp_path / "nowhere" / "fig.png")
    stage.take(exported(result), Finished(result.job, 0, 1.0))
    assert "cannot be written: No such file or directory" in result.failure.message and result.made is None
    silent = stage.jobs.save("job-0001", tmp_path / "fig.png")
    stage.take(Finished(silent.job, 0, 1.0))
    assert (silent.over, silent.made) == (True, None)


# --- cancelling ------------------------------------------------------------------------------------------------------


def test_a_generation_that_is_stopped_while_it_reads_is_never_sent(slow):
    result = slow.generate(task="refine", source="paper", source_box=BOX)
    slow.jobs.cancel(result)
    assert (result.status.text, result.over) == ("Stopping", False)
    slow.host.work()
    assert (result.over, result.failure, slow.client.calls) == (True, None, [])


def test_a_job_that_is_stopped_ends_when_the_server_says_so_without_a_failure(stage):
    result = stage.generate()
    stage.take(Queued(result.job, 0))
    stage.jobs.cancel(result)
    stage.jobs.cancel(result)
    assert (stage.client.asked("cancel"), result.over) == ([((result.job,), {})], False)
    stage.take(Cancelled(result.job))
    assert (result.over, result.failure, stage.jobs.generation, stage.document.layers) == (True, None, None, ["paper"])


def test_a_job_that_finishes_before_it_hears_of_the_stop_is_inserted(stage):
    result = stage.generate()
    stage.jobs.cancel(result)
    stage.finish(result)
    assert result.made == ["fig (7)"]


def test_without_a_connection_nobody_waits_for_the_stop(stage):
    result = stage.generate()
    stage.client.connected = False
    stage.jobs.cancel(result)
    assert (result.over, stage.client.asked("cancel")) == (True, [((result.job,), {})])
    stage.finish(result)
    assert stage.document.layers == ["paper"], "what comes of it later is nobody's"


def test_a_stop_that_the_server_never_confirms_ends_after_a_while_where_the_host_wants_that(hasty):
    result = hasty.generate()
    hasty.jobs.cancel(result)
    for now, over in ((5.0, False), (5.1, True)):
        hasty.clock.now = now
        hasty.jobs.tick()
        assert result.over is over


def test_an_insertion_goes_on_when_it_is_stopped_too_late(slow):
    result = slow.generate()
    slow.host.work()
    slow.finish(result)
    slow.jobs.cancel(result)
    slow.host.work()
    assert (slow.client.asked("cancel"), slow.document.layers) == ([], ["paper", "fig (7)"])
    slow.jobs.cancel(result)
    assert slow.host.seen[-1][0] == "over"


def test_being_stopped_from_elsewhere_is_said(stage):
    result = stage.generate()
    stage.take(Cancelled(result.job))
    assert result.failure.code == "cancelled"


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_failure_of_the_server_is_said_in_its_words_and_leaves_the_document_alone(stage):
    result, failure = stage.generate(), Failure("out-of-memory", "too little memory", "Choose a smaller size.")
    stage.take(Queued(result.job, 0), Failed(result.job, failure))
    assert (result.failure, stage.document.layers, stage.jobs.generation) == (failure, ["paper"], None)
    assert stage.client.asked("cancel") == []


def test_a_job_that_no_server_has_accepted_is_taken_back_when_there_is_none(stage):
    result = stage.generate()
    stage.take(Disconnected(NO_SERVER, 1.0))
    assert (result.failure, stage.client.asked("cancel")) == (NO_SERVER, [((result.job,), {})])


def test_a_patient_host_waits_for_a_lost_server_that_has_its_job(stage):
    result = stage.generate()
    stage.take(Queued(result.job, 0), Disconnected(LOST, 1.0), Disconnected(NO_SERVER, 2.0))
    stage.clock.now = 1e6
    stage.jobs.tick()
    assert not result.over
    stage.take(Connected(None))
    stage.finish(result)
    assert stage.document.layers == ["paper", "fig (7)"]


def test_another_host_gives_a_lost_connection_up_after_a_while(hasty):
    result = hasty.generate()
    hasty.take(Queued(result.job, 0), Disconnected(LOST, 1.0))
    for now, failure in ((30.0, LOST), (30.1, LOST)):
        hasty.clock.now = now
        hasty.jobs.tick()
        assert (result.over, result.failure) == (now > 30, failure)


def test_events_of_other_jobs_change_nothing(stage):
    result = stage.generate()
    stage.finish(stage.jobs.insert_again("job-0001", stage.document, JobPlan))
    stage.take(Failed("job-0002", LOST))
    assert result.state == "waiting" and not result.status.accepted
