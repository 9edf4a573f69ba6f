"""Which files there are, as everyone but the document room says it."""

from acetate.document import FORMATS
from acetate.vocabulary.layered_files import INSERTED, LAYERED, SAVED, WRITTEN, choice, patterns


def test_the_suffixes_are_those_of_the_formats_that_can_be_written() -> None:
    assert {suffix[1:] for suffix in WRITTEN} == set(FORMATS)
    assert set(SAVED) <= set(INSERTED) <= set(WRITTEN) and set(LAYERED) < set(WRITTEN)


def test_suffixes_are_listed_for_people_and_for_dialogs() -> None:
    assert choice((".png", ".psd", ".ora")) == ".png, .psd or .ora"
    assert patterns((".psd", ".ora")) == "*.psd *.ora"
