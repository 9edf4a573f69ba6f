"""A job with an editor and a server that are not there: the history, files, stopping, and what goes wrong."""

from __future__ import annotations

import pytest
from acetate.plugins.bridge.host import JobPlan, RefusedError
from acetate.protocol import (
    Cancelled,
    Connected,
    Disconnected,
    Failed,
    Failure,
    FileReady,
    Finished,
    Queued,
)
from acetate.protocol.messages import File

from .fakes import BOX, arrived

LOST = Failure("connection-lost", "the connection is lost")
NO_SERVER = Failure("no-server", "no server is running")


# --- the history and files -------------------------------------------------------------------------------------------


def test_a_finished_job_is_attached_to_and_inserted_and_asking_again_meanwhile_is_one_insertion(stage):
    first, *others = [stage.jobs.insert_again("job-0001", stage.document, lambda: JobPlan(format="bgra8")) for _ in range(3)]
    assert stage.client.asked("attach") == [(("job-0001",), {"have": (), "format": "bgra8"})]
    assert others == [first, first]
    stage.finish(first)
    assert stage.document.layers == ["paper", "fig (7)"]
    assert stage.jobs.insert_again("job-0001", stage.document, JobPlan) is not first, "and then once more"


def test_the_layers_of_a_file_are_sent_for_and_inserted(stage, tmp_path):
    path = tmp_path / "figs.PSD"
    path.write_bytes(b"8BPS")
    result = stage.jobs.insert_file(path, stage.document, lambda: JobPlan(title="figs.PSD"))
    assert stage.client.asked("insert_file") == [((b"8BPS", "psd"), {"format": "rgba8", "job": result.job})]
    large = path.rename(tmp_path / "figs.psb")
    stage.jobs.insert_file(large, stage.document, JobPlan)
    assert stage.client.asked("insert_file")[1][0] == (b"8BPS", "psd"), "a PSB is a PSD to the server"
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
    assert slow.client.asked("export") == [((["job-0001"], "png"), {"pictures": (), "job": result.job})]
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


def test_another_picture_of_a_job_that_is_on_its_way_comes_after_it(stage):
    first = stage.jobs.insert_again("job-0001", stage.document, JobPlan, without=(1,))
    second = stage.jobs.insert_again("job-0001", stage.document, JobPlan, without=(0,))
    assert [named["have"] for _, named in stage.client.asked("attach")] == [(1,)], "one story at a time"
    stage.finish(first, arrived("job-0001", name="first"))
    assert [named["have"] for _, named in stage.client.asked("attach")] == [(1,), (0,)]
    assert first.over and not second.over
    stage.finish(second, arrived("job-0001", name="second", index=1))
    assert stage.document.layers == ["paper", "first", "second"]


def test_a_picture_that_is_only_looked_at_is_put_nowhere_and_not_acknowledged(stage):
    seen = []
    stage.jobs.look("job-0001", seen.extend, without=(1, 2), format="bgra8")
    assert stage.client.asked("attach") == [(("job-0001",), {"have": (1, 2), "format": "bgra8"})]
    stage.take(arrived("job-0001"), Finished("job-0001", 1, 2.0))
    assert [one.layer.name for one in seen] == ["fig (7)"]
    assert stage.document.layers == ["paper"] and not stage.client.asked("acknowledge") and not stage.host.seen


def test_a_picture_that_cannot_be_looked_at_is_no_failure_to_show(stage):
    seen = []
    stage.jobs.look("job-0001", seen.append, format="bgra8")
    stage.take(Failed("job-0001", Failure("unknown-job", "there is no job")))
    assert seen == [()] and not stage.host.seen


def test_only_the_pictures_of_the_plan_are_put_in_when_a_generation_arrives(stage):
    result = stage.generate(pictures=(0,))
    group = (f"{result.job}-candidates",)
    layers = [arrived(result.job, name=f"fig ({at})", index=at, picture=at, group=group) for at in range(3)]
    stage.finish(result, *layers)
    assert stage.document.layers == ["paper", "fig (0)"]


@pytest.mark.parametrize("task", ["refine", "upscale"])
def test_an_empty_layer_is_called_so_before_it_is_sent(stage, task):
    stage.host.pixel = b"\x40\x40\x40\x00"
    result = stage.generate(task=task, source="paper", source_box=BOX)
    assert result.over and "The layer is empty" in result.failure.message
    assert stage.client.asked("submit") == []
