from acetate.plugins.bridge.candidates import Candidate
from acetate.plugins.bridge.pictures.wastebasket import Wastebasket
from acetate.protocol import LayerSummary


def candidate(job, number):
    return Candidate(job, number, "foreground", "fig", (LayerSummary(number, "fig", "foreground", 0, 0, 1, 1, picture=number),))


FIRST, SECOND, OTHER = candidate("job-1", 0), candidate("job-1", 1), candidate("job-2", 0)


def basket():
    asked = []
    return Wastebasket(lambda job, pictures: asked.append((job, list(pictures)))), asked


def test_what_is_thrown_away_is_hidden_and_nothing_is_deleted_yet():
    made, asked = basket()
    made.throw([FIRST])
    assert made.hides(FIRST) and not made.hides(SECOND) and not asked


def test_what_is_taken_back_is_seen_again_and_never_deleted():
    made, asked = basket()
    made.throw([FIRST])
    assert made.take_back() == (FIRST,)
    made.empty()
    assert not made.hides(FIRST) and not asked and made.take_back() == ()


def test_the_next_throw_deletes_what_was_thrown_before_for_good():
    made, asked = basket()
    made.throw([FIRST, OTHER])
    made.throw([SECOND])
    assert asked == [("job-1", [0]), ("job-2", [0])]
    assert made.take_back() == (SECOND,)
    assert made.hides(FIRST), "until the server has deleted it"


def test_an_empty_basket_asks_for_nothing():
    made, asked = basket()
    made.empty()
    assert not asked
