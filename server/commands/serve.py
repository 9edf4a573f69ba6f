"""`acetate serve`: the server that the editors and scripts talk to."""

from __future__ import annotations

import argparse

from acetate.vocabulary.engine_options import ENGINE_OPTIONS

from ..command_line.exit_codes import UsageError

METAVARS = {
    "port": "NUMBER",
    "names": "NAME",
    "devices": "NAME[,NAME]",
    "ray": "ADDRESS",
    "ray_workers": "NUMBER",
    "preload": "MODEL",
    **{name: "|".join(values) for name, values in ENGINE_OPTIONS.items()},
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each setting that has one, with the setting's meaning, and those that show them all."""
    from ..configuration.descriptions import FLAGS, descriptions

    for name, flag in FLAGS.items():
        described = descriptions()[name]
        shown = argparse.SUPPRESS if name == "engine" else described.meaning.replace("`", "").replace("%", "%%")
        if described.default is False:
            parser.add_argument(flag, dest=name, action="store_true", default=None, help=shown)
        else:
            action = "append" if isinstance(described.default, tuple) else "store"
            parser.add_argument(flag, dest=name, action=action, metavar=METAVARS.get(name, "VALUE"), help=shown)
    parser.add_argument("--compile", dest="acceleration", action="store_const", const="compiled", help=argparse.SUPPRESS)
    parser.add_argument("--settings", metavar="FILE", help="read this settings file instead of the one in the usual place")
    parser.add_argument("--show-settings", action="store_true", help="print all settings as a settings file, and serve nothing")
    parser.add_argument("--json", action="store_true", help="print them as JSON")


def run(options: argparse.Namespace) -> int:
    """Serve until stopped, or show the settings; returns the exit code. Raises `UsageError` for settings that are wrong."""
    from ..configuration.descriptions import FLAGS
    from ..configuration.listing import as_json, as_toml
    from ..configuration.sources import SettingsError, configure
    from ..http import serve

    given = {name: value for name in FLAGS if (value := getattr(options, name)) is not None}
    texts = {name: ",".join(value) if isinstance(value, list) else value for name, value in given.items()}
    try:
        configuration = configure(texts, options.settings)
    except SettingsError as error:
        raise UsageError(str(error)) from error
    if options.show_settings:
        print(as_json(configuration) if options.json else as_toml(configuration), end="")
        return 0
    return serve.run(configuration.settings)
