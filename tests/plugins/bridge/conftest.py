"""Stages for a job: a document, an editor that is not there, and a client without a server."""

from __future__ import annotations

import pytest


def _stage(**more):
    from .fakes import Stage  # here, as a conftest that is loaded first knows no package

    return Stage(**more)


@pytest.fixture
def stage():
    return _stage()


@pytest.fixture
def slow():
    """A host that works in turns, as Krita does."""
    return _stage(at_once=False)


@pytest.fixture
def hasty():
    """A host that does not wait for ever, as GIMP's."""
    return _stage(lost_seconds=30.0, stop_seconds=5.0)
