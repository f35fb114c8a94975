"""Completions for shells. dialerctl's ask dialerctl itself; dialerd's hold its options."""

from shlex import quote

import click

from dialerd import daemon
from dialerd.cli.completion import SHELLS, script

FILES = {"bash": "bash/{}", "zsh": "zsh/_{}", "fish": "fish/{}.fish"}
"""Where each shell's file for a command lies, below completions/."""


def completions() -> dict[str, str]:
    """Paths below completions/, and what stands there."""
    found = {FILES[shell].format("dialerctl"): script(shell).lstrip("\n") for shell in SHELLS}
    options = [each for each in daemon.main.params if isinstance(each, click.Option)]
    own = {"bash": _bash(options), "zsh": _zsh(options), "fish": _fish(options)}
    return found | {FILES[shell].format("dialerd"): text for shell, text in own.items()}


def _flags(options: list[click.Option]) -> list[tuple[str, str, bool]]:
    """Each long option with what it does, and whether a file follows."""
    found = [
        (flag, (each.help or "").rstrip("."), not each.is_flag)
        for each in options
        for flag in each.opts
        if flag.startswith("--")
    ]
    return [*found, ("--help", "Show the options", False)]


def _bash(options: list[click.Option]) -> str:
    words = " ".join(flag for flag, _, _ in _flags(options))
    return f"complete -o default -W '{words}' dialerd\n"


def _zsh(options: list[click.Option]) -> str:
    specs = [
        quote(f"{flag}[{about}]{':file:_files' if file else ''}") for flag, about, file in _flags(options)
    ]
    return "#compdef dialerd\n_arguments \\\n  " + " \\\n  ".join(specs) + "\n"


def _fish(options: list[click.Option]) -> str:
    lines = ["complete -c dialerd -f"]
    for flag, about, file in _flags(options):
        lines.append(f"complete -c dialerd -l {flag[2:]} -d {quote(about)}" + (" -r -F" if file else ""))
    return "\n".join(lines) + "\n"
