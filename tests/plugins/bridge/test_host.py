"""What an editor does for its jobs where it says nothing else: everything at once, and every error told."""

import pytest
from acetate.plugins.bridge.host import DocumentClosedError, EditorHost


@pytest.fixture
def told():
    return []


@pytest.fixture
def then(told):
    return lambda result, error: told.append((result, error))


def test_work_is_done_to_its_end_and_its_result_is_told_once(told, then):
    done = []

    def work():
        for step in range(3):
            done.append(step)
            yield
        return "layer"

    EditorHost().later(work(), then)
    assert (done, told) == ([0, 1, 2], [("layer", None)])


def test_work_that_fails_tells_why_instead_of_raising(told, then):
    broken = RuntimeError("the node is gone")

    def work():
        yield
        raise broken

    EditorHost().later(work(), then)
    assert told == [(None, broken)]


def test_a_function_over_files_is_called_and_a_file_that_fails_is_told(told, then):
    broken = PermissionError("read only")

    def refuse():
        raise broken

    host = EditorHost()
    host.on_thread(lambda: "path", then)
    host.on_thread(refuse, then)
    assert told == [("path", None), (None, broken)]


def test_a_mistake_of_ours_is_no_trouble_with_a_file(told, then):
    with pytest.raises(KeyError):
        EditorHost().on_thread(lambda: {}["missing"], then)
    assert told == []


def test_an_editor_that_makes_no_documents_has_no_other_place_for_a_result():
    with pytest.raises(DocumentClosedError):
        EditorHost().insert_elsewhere(None, None)
