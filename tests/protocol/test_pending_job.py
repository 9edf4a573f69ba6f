"""What a job needs before it can be asked for, and how often that is tried."""

from __future__ import annotations

from acetate.protocol import Image
from acetate.protocol.messages import Export, Submit
from acetate.protocol.pending_job import MAX_OFFERS, PendingJob

PICTURE = Image(1, 1, "rgba8", b"\x01\x02\x03\x04")
SHA256 = PICTURE.sha256
KNOWN = "c" * 64


def prepared() -> PendingJob:
    task = PendingJob(Submit("j" * 32, "object", format="bgra8"), {"background": (PICTURE, 3, 4), "foreground": (KNOWN, 0, 0)})
    task.prepare()
    return task


def test_pictures_are_named_by_their_hashes_and_only_new_ones_are_uploaded() -> None:
    task = prepared()
    assert isinstance(task.asked, Submit) and task.uploads == {SHA256: PICTURE}
    background, foreground = task.asked.conditions.background, task.asked.conditions.foreground
    assert background is not None and (background.sha256, background.x, background.y) == (SHA256, 3, 4)
    assert foreground is not None and foreground.sha256 == KNOWN


def test_it_is_ready_when_the_server_has_all_of_its_pictures() -> None:
    assert not PendingJob(Submit("j" * 32, "object"), {}).is_ready({SHA256}), "nobody has hashed them"
    assert not prepared().is_ready({KNOWN})
    assert prepared().is_ready({KNOWN, SHA256})


def test_pictures_are_offered_again_a_few_times_and_others_never() -> None:
    task = prepared()
    assert [task.may_offer_again({SHA256}) for _ in range(MAX_OFFERS)] == [True] * (MAX_OFFERS - 1) + [False]
    assert not prepared().may_offer_again({KNOWN})


def test_over_another_connection_only_the_missing_layers_are_asked_for() -> None:
    task = prepared()
    task.layers |= {2, 0}
    again = task.to_attach()
    assert (again.job, again.have, again.format) == ("j" * 32, (0, 2), "bgra8")
    assert PendingJob(Export("e" * 32, ("j" * 32,), "psd"), {}).to_attach().format == "rgba8"
