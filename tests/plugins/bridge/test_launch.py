import json
import sys

import pytest
from acetate.plugins.bridge.launch import BY_HAND, by_hand, server_command


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "launch.json"


def test_the_recorded_command_is_used_while_its_program_is_there(record):
    record.write_text(json.dumps({"command": [sys.executable, "-m", "acetate.server", "serve"]}))
    assert server_command(record) == [sys.executable, "-m", "acetate.server", "serve"]


@pytest.mark.parametrize("text", ["{", "{}", '{"command": []}', '{"command": "serve"}', '{"command": ["/nowhere/python"]}'])
def test_without_a_usable_record_and_without_acetate_there_is_no_command(record, text):
    record.write_text(text)
    assert server_command(record) is None


def test_inside_a_flatpak_the_record_is_taken_at_its_word_for_its_programs_may_not_be_seen(record, tmp_path):
    record.write_text(json.dumps({"command": ["/nowhere/python", "serve"]}))
    sandbox = tmp_path / ".flatpak-info"
    assert server_command(record, sandbox=sandbox) is None
    sandbox.touch()
    assert server_command(record, sandbox=sandbox) == ["/nowhere/python", "serve"]


def test_a_person_is_told_the_recorded_command_also_where_its_program_is_not_seen(record):
    assert by_hand(record) == BY_HAND
    record.write_text(json.dumps({"command": ["/no where/python", "serve"]}))
    assert by_hand(record) == "'/no where/python' serve"


def test_acetate_on_the_search_path_serves_a_plugin_from_a_zip(record, tmp_path):
    program = tmp_path / "bin/acetate"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert server_command(record) == [str(program), "serve", "--until-idle"]
