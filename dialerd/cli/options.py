"""Options that several commands take."""

import click

from dialerd.cli import completing

states = click.option(
    "--state",
    "states",
    multiple=True,
    metavar="STATE",
    shell_complete=completing.states,
    help="Only in this state; may be repeated.",
)
not_before = click.option(
    "--not-before",
    "--at",
    "not_before",
    metavar="WHEN",
    help='Not before this: "in 1h", "2026-12-01 01:00 UTC".',
)
not_after = click.option("--not-after", metavar="WHEN", help="When it is too late, in the same form.")
