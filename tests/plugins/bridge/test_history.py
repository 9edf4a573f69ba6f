from acetate.plugins.bridge.history import JobHistory
from acetate.protocol import Discarded, HistoryEntry, HistoryPage, Image, LayerSummary, Starred

PICTURE = Image(1, 1, "rgba8", bytes(4))


def page(*finished, more=False):
    entries = tuple(HistoryEntry(f"job-{at}", "foreground", float(at), layers=(layer(0), layer(1))) for at in finished)
    return HistoryPage(entries, {(entry.job, one.index): PICTURE for entry in entries for one in entry.layers}, more)


def layer(number):
    return LayerSummary(number, f"fig ({number})", "foreground", 0, 0, 2, 2, seed=number, picture=number)


def test_pages_that_arrive_in_any_order_are_one_list_with_the_newest_first():
    history = JobHistory()
    assert history.take(page(5, 4)) and history.take(page(2, 1)) and history.take(page(9, 5))
    assert list(history.entries) == ["job-9", "job-5", "job-4", "job-2", "job-1"]
    assert history.oldest == "job-1"


def test_a_deleted_job_is_gone_with_its_picture():
    history = JobHistory()
    history.take(page(2, 1))
    assert history.take(Discarded("job-2"))
    assert list(history.entries) == ["job-1"]
    assert list(history.thumbnails) == [("job-1", 0), ("job-1", 1)]


def test_a_deleted_picture_is_gone_alone_and_the_last_one_takes_its_job_along():
    history = JobHistory()
    history.take(page(2))
    assert history.take(Discarded("job-2", (0,)))
    assert [one.key for one in history.candidates()] == [("job-2", 1)]
    assert list(history.thumbnails) == [("job-2", 1)]
    assert history.take(Discarded("job-2", (1,)))
    assert not history.entries and not history.candidates()


def test_a_picture_in_which_nothing_can_be_seen_is_not_listed():
    nothing = LayerSummary(0, "fig (0)", "foreground", 0, 0, 0, 0, seed=0, picture=0)
    history = JobHistory()
    history.take(HistoryPage((HistoryEntry("job-1", "foreground", 1.0, layers=(nothing, layer(1))),), {}, False))
    assert [one.number for one in history.candidates()] == [1]
    assert history.oldest == "job-1"


def test_a_mark_is_on_its_picture_alone():
    history = JobHistory()
    history.take(page(2))
    assert history.take(Starred("job-2", 1, True))
    assert [one.starred for one in history.candidates()] == [False, True]
    assert history.take(Starred("job-2", 1, False))
    assert [one.starred for one in history.candidates()] == [False, False]
    assert not history.take(Starred("job-9", 1, True))


def test_a_new_connections_first_page_takes_the_place_of_everything_that_others_may_have_deleted():
    history = JobHistory()
    history.take(page(9, 5))
    history.renew()
    assert list(history.entries) == ["job-9", "job-5"], "shown until the page comes"
    history.take(page(9, 8))
    history.take(page(4))
    assert list(history.entries) == ["job-9", "job-8", "job-4"] == sorted({job for job, _ in history.thumbnails}, reverse=True)


def test_what_does_not_concern_it_changes_nothing():
    history = JobHistory()
    assert not history.take(Discarded("job-2"))
    assert not history.take(object())
    assert (history.entries, history.oldest) == ({}, None)
