"""`acetate completion`: what a shell needs to complete commands and options. Knows shells by name; argcomplete knows them."""

from __future__ import annotations

import argparse

SHELLS = {
    "bash": 'put into ~/.bashrc: eval "$(acetate completion bash)"',
    "zsh": 'put into ~/.zshrc, after compinit: eval "$(acetate completion zsh)"',
    "fish": "acetate completion fish > ~/.config/fish/completions/acetate.fish",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the shell."""
    parser.add_argument("shell", choices=SHELLS)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(["once for each shell:", *(f"  {line}" for line in SHELLS.values())])


def run(options: argparse.Namespace) -> int:
    """Print the shell's lines."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["acetate"], shell=options.shell))
    return 0
