"""dialerctl completion: what makes a shell complete dialerctl's commands, options and names."""

import click

SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """The shell's script, which asks dialerctl itself at each TAB. It is click's own; in that for fish what
    is said of a word may hold commas, too."""
    from click.shell_completion import get_completion_class

    from dialerd.cli import main

    found = get_completion_class(shell)
    assert found is not None, f"click knows no shell {shell}"
    made = found(main, {}, "dialerctl", "_DIALERCTL_COMPLETE")
    template = made.source_template.replace('string split ","', 'string split --max 1 ","')
    return template % made.source_vars()


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def completion_(shell: str) -> None:
    """Print the script that completes words in a SHELL. There is one for bash, zsh and fish.

    The Debian package has put it in its place already.

    The script completes commands, options and their values, and asks the daemon for jobs, batches, trunks,
    providers, stop lists and sinks.
    """
    click.echo(script(shell))
