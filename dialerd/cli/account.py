"""dialerctl account: what is left on the accounts, and what the providers know of them."""

import click

from dialerd.cli import asking


@click.group("account")
def account_() -> None:
    """Show the accounts with providers: balance and owner."""


asking.add_all(account_, "account")
