"""Where editors keep plug-ins, and Krita's own settings."""

import sys

import pytest
from acetate.plugins import hosts
from acetate.plugins.hosts import GIMP, KRITA


@pytest.mark.parametrize(
    ("platform", "folder", "config"),
    [
        ("darwin", "Library/Application Support/krita", "Library/Preferences/kritarc"),
        ("win32", "AppData/Roaming/krita", "AppData/Local/kritarc"),
    ],
)
def test_other_platforms_have_their_own_folders(home, monkeypatch, platform, folder, config):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("APPDATA", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    (place,) = hosts.krita_places()
    assert (place.root, place.config) == (home / folder, home / config)


def test_a_setting_is_added_changed_and_taken_out_and_the_rest_stays():
    text = "A=1\n\n[python]\nenable_x=true\n\n[theme]\nTheme=Krita dark\n"
    added = hosts.with_setting(text, "python", "enable_acetate", "true")
    assert added == text.replace("[python]\n", "[python]\nenable_acetate=true\n")
    changed = hosts.with_setting(added, "python", "enable_acetate", "false")
    assert changed.count("enable_acetate") == 1 and "enable_acetate=false" in changed
    assert hosts.with_setting(changed, "python", "enable_acetate", None) == text


def test_a_group_that_is_not_there_yet_is_made():
    assert hosts.with_setting("", "python", "k", "v") == "[python]\nk=v\n"
    assert hosts.with_setting("A=1\n", "python", "k", "v") == "A=1\n\n[python]\nk=v\n"


def test_a_value_is_read_from_its_own_group_and_one_before_all_groups_has_none(tmp_path):
    config = tmp_path / "kritarc"
    config.write_text("folder = /first\n[python]\nenable_x=true\n [theme] \nfolder=a=b\n")
    assert hosts.setting(config, "", "folder") == "/first"
    assert hosts.setting(config, "theme", "folder") == "a=b"
    assert hosts.setting(config, "python", "folder") is None
    assert hosts.setting(tmp_path / "nowhere", "", "folder") is None


def test_kritas_from_the_windows_store_have_folders_of_their_own(home, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("APPDATA", str(home / "roaming"))
    monkeypatch.setenv("LOCALAPPDATA", str(home / "local"))
    cache = home / "local/Packages/49800Krita_abc/LocalCache"
    cache.mkdir(parents=True)
    plain, store = hosts.krita_places()
    assert (plain.root, plain.config) == (home / "roaming/krita", home / "local/kritarc")
    assert (store.package, store.root, store.config) == ("Windows Store", cache / "Roaming/krita", cache / "Local/kritarc")


def test_a_folder_of_the_environment_is_followed_only_where_it_is_absolute(home, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    assert hosts.krita_places()[0].root == home / ".local/share/krita"
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    assert hosts.krita_places()[0].root == home / "data/krita"


def test_gimps_own_folder_is_relative_to_home_and_counts_once(home, gimp, monkeypatch):
    folder = gimp()
    monkeypatch.setenv("GIMP3_DIRECTORY", "mine")
    assert [place.root for place in hosts.gimp_places()] == [folder, home / "mine"]
    monkeypatch.setenv("GIMP3_DIRECTORY", ".config/GIMP/3.0")
    assert [place.package for place in hosts.gimp_places()] == ["plain"]


@pytest.mark.parametrize(("host", "plugins"), [(KRITA, "pykrita"), (GIMP, "plug-ins")], ids=["krita", "gimp"])
def test_a_place_says_where_its_plugins_go(tmp_path, host, plugins):
    place = hosts.EditorPlace(host, "plain", tmp_path)
    assert place.plugins == tmp_path / plugins
    assert str(tmp_path) in str(place) and host.title in str(place)
