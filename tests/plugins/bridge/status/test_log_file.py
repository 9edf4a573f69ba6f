"""The plug-in's own log, in folders of the test's own."""

from __future__ import annotations

import logging
import sys

import pytest
from acetate.plugins.bridge.status import log_file


@pytest.fixture
def logger():
    logger = logging.getLogger(log_file.PACKAGE)
    before, level = list(logger.handlers), logger.level
    yield logger
    for handler in set(logger.handlers) - set(before):
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(level)


def test_what_the_plug_in_logs_is_in_a_file_beside_the_servers(tmp_path, monkeypatch, logger):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path / "new"))
    assert log_file.keep_log("krita") is not None
    logging.getLogger("acetate.plugins.krita.qt").error("a mistake in a slot")
    assert log_file.log_file("krita") == tmp_path / "new" / "krita.log"
    assert "ERROR acetate.plugins.krita.qt: a mistake in a slot" in (tmp_path / "new" / "krita.log").read_text()


def test_on_a_mac_it_lies_where_its_console_looks(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert log_file.log_file("gimp").parts[-4:] == ("Library", "Logs", "acetate", "gimp.log")


def test_where_no_file_can_be_written_the_editor_goes_on(tmp_path, monkeypatch, logger):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(sys, "platform", "linux")
    before = list(logger.handlers)
    assert log_file.keep_log("krita") is None
    assert logger.handlers == before
