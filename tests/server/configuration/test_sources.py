"""Options before variables before the file before the defaults; and whatever is wrong is named with where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from acetate.server.configuration.descriptions import HOME, descriptions
from acetate.server.configuration.sources import SettingsError, configure, default_file
from acetate.server.settings import FAKE_ENGINE, Settings

Write = Callable[[str], Path]


def complaint(file: str | None = None, **options: str) -> str:
    with pytest.raises(SettingsError) as error:
        configure(options, file)
    return str(error.value)


# --- where values come from ------------------------------------------------------------------------------------------


def test_without_anything_said_the_defaults_hold(home: Path) -> None:
    found = configure({})
    assert found.settings == Settings() and found.settings.folder == home
    assert {source for name, source in found.sources.items() if name != HOME} == {"default"}


def test_options_come_before_variables_before_the_file_before_defaults(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("jobs = 10\nconnections = 11\nidle_seconds = 12\nport = 13\n")
    monkeypatch.setenv("ACETATE_CONNECTIONS", "21")
    monkeypatch.setenv("ACETATE_PORT", "23")
    found = configure({"port": "33"})
    settings = found.settings

    assert (settings.jobs, settings.connections, settings.idle_seconds, settings.port) == (10, 21, 12.0, 33)
    sources = [found.sources[name] for name in ("jobs", "connections", "port", "sockets")]
    assert sources == [f"file {path}", "variable ACETATE_CONNECTIONS", "option --port", "default"]


def test_every_setting_can_be_set_by_a_variable_and_by_the_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever field is added later: its own default in text is read as itself, from both."""
    others = [setting for setting in descriptions().values() if setting.name != HOME and setting.default is not None]
    write("\n".join(f"{setting.name} = {setting.type.written(setting.default)}" for setting in others))
    found = configure({})
    assert found.settings == Settings() and all(found.sources[setting.name].startswith("file") for setting in others)
    for setting in others:
        monkeypatch.setenv(setting.variable, setting.type.written(setting.default).strip('[]"').replace('"', ""))
    given = [setting for setting in others if setting.default not in ((), "")]
    found = configure({})
    assert found.settings == Settings() and all(found.sources[setting.name].startswith("variable") for setting in given)


def test_lists_paths_and_truths_are_read_from_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "NAMES": "a.example, b.example",
        "DEVICES": "cuda:0,auto",
        "INSECURE": "yes",
        "TLS_KEY": "key.pem",
    }.items():
        monkeypatch.setenv(f"ACETATE_{name}", text)
    settings = configure({"engine": "fake", "until_idle": "true"}).settings

    assert (settings.names, settings.devices) == (("a.example", "b.example"), ("cuda:0", None))
    assert settings.insecure and settings.until_idle and settings.tls_key == Path("key.pem") and settings.engine == FAKE_ENGINE


def test_a_path_in_the_file_is_meant_from_there(write: Write, home: Path) -> None:
    write('tls_key = "key.pem"\ntls_certificate = "/etc/certificate.pem"\n')
    settings = configure({}).settings

    assert (settings.tls_key, settings.tls_certificate) == (home / "key.pem", Path("/etc/certificate.pem"))


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_PORT", " ")
    assert configure({}).sources["port"] == "default"


def test_another_file_is_read_instead_if_one_is_named(write: Write, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("port = 1")
    other, third = home / "other.toml", home / "third.toml"
    other.write_text("port = 2")
    third.write_text("port = 3")
    monkeypatch.setenv("ACETATE_SETTINGS", str(other))

    assert configure({}).settings.port == 2 and configure({}, str(third)).settings.port == 3
    assert complaint(str(home / "none.toml")) == f"{home / 'none.toml'}: there is no such file"


def test_without_a_home_of_its_own_the_file_lies_in_the_platforms_place(monkeypatch: pytest.MonkeyPatch) -> None:
    import platformdirs

    monkeypatch.delenv("ACETATE_HOME")
    assert default_file() == Path(platformdirs.user_config_dir("acetate", appauthor=False)) / "settings.toml"


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('idle_seconds = "soon"', "idle_seconds is 'soon'; it must be a number of seconds, 0 or more"),
        ("idle_seconds = -1", "idle_seconds is -1; it must be a number of seconds, 0 or more"),
        ("idle_seconds = nan", "idle_seconds is nan; it must be a number"),
        ("idle_seconds = inf", "idle_seconds is inf; it must be a number"),
        ("hello_seconds = 0", "hello_seconds is 0; it must be a number of seconds, from 0.1 to 1000000000"),
        ("jobs = 0", "jobs is 0; it must be a whole number, 1 or more"),
        ("jobs = 2.0", "jobs is 2.0; it must be a whole number"),
        ("jobs = true", "jobs is true; it must be a whole number"),
        ("port = 70000", "port is 70000; it must be a whole number, from 0 to 65535"),
        ("preview_share = 2", "preview_share is 2; it must be a number, from 0 to 1"),
        ("insecure = 1", "insecure is 1; it must be true or false"),
        ('insecure = "true"', "insecure is 'true'; it must be true or false"),
        ("host = 1", "host is 1; it must be a text"),
        ('names = "one"', "names is 'one'; it must be a list, each a text"),
        ("names = [1]", "names is [1]; it must be a list"),
        ('tls_key = ""', "tls_key is ''; it must be a file's path"),
        ('acceleration = "fast"', "acceleration is 'fast'; it must be one of auto, eager, recorded, compiled, check"),
        ("restart_seconds = [1, -1]", "restart_seconds is [1, -1]; it must be a list, each a number of seconds, 0 or more"),
        ("idle_second = 1", "there is no setting idle_second; did you mean idle_seconds?"),
        ("colour = 1", "there is no setting colour"),
        ("[server]\njobs = 1", "there is no setting server"),
        ('folder = "/tmp"', "folder is set by ACETATE_HOME alone"),
        ("jobs 1", "is not TOML"),
        ("jobs = 1\njobs = 2", "is not TOML"),
    ],
)
def test_a_wrong_line_is_named_with_the_file_the_key_and_what_would_be_right(line: str, said: str, write: Write) -> None:
    path = write(line)
    found = complaint()
    assert found.startswith(str(path)) and said in found and len(found.splitlines()) == 1


def test_everything_that_is_wrong_is_said_at_once(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("jobs = 0\nconnections = 0\n")
    monkeypatch.setenv("ACETATE_PORT", "http")
    lines = complaint(host="", preload="").splitlines()

    assert [("jobs is 0" in line, "connections is 0" in line, "ACETATE_PORT is 'http'" in line) for line in lines] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]


def test_a_file_that_cannot_be_read_is_named(home: Path) -> None:
    (home / "settings.toml").mkdir()
    assert complaint().startswith(f"{home / 'settings.toml'} cannot be read: ")
    (home / "settings.toml").rmdir()
    (home / "settings.toml").write_bytes(b"host = '\xff'")
    assert complaint().startswith(f"{home / 'settings.toml'} is not TOML: ")


def test_a_variable_that_is_nearly_a_setting_is_a_mistake_and_others_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ACETATE_TEST_SOMETHING", "ACETATE_TOKEN", "ACETATE_URL", "ACETATE_FAKE"):
        monkeypatch.setenv(variable, "1")
    assert configure({}).settings == Settings()
    monkeypatch.setenv("ACETATE_IDLE_SECOND", "1")
    assert complaint() == "there is no variable ACETATE_IDLE_SECOND; did you mean ACETATE_IDLE_SECONDS?"


def test_an_option_is_named_as_it_was_given() -> None:
    assert complaint(port="http") == "--port is 'http'; it must be a whole number, from 0 to 65535"


# --- the dataclass ---------------------------------------------------------------------------------------------------


def test_every_setting_has_a_meaning_and_stands_under_a_heading() -> None:
    assert [setting.name for setting in descriptions().values()] == [field.name for field in fields(Settings)]
    bare = [setting.name for setting in descriptions().values() if len(setting.meaning) < 20 or not setting.group]
    assert not bare, f"without a docstring in server/settings.py: {bare}"


def test_the_defaults_are_right_themselves() -> None:
    for setting in descriptions().values():
        if setting.default is not None:
            assert setting.type.read(setting.type.written(setting.default).strip('[]"').replace('"', "")) == setting.default
