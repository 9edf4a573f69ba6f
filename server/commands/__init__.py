"""The subcommands of `acetate`: each module has `add_options(parser)` and `run(options) -> int`."""
