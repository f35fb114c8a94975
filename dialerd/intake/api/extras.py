"""What the API tells of beside the desk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dialerd.core.documents import Documents
from dialerd.intake.api.lists import Book
from dialerd.intake.api.providers import Accounts, Inventory, as_told
from dialerd.intake.api.reports import Reporter


@dataclass(frozen=True, slots=True)
class Extras:
    """The stop lists and rates that count now, the reports, the accounts with providers with what we know of
    their numbers, and the documents to be faxed. `addresses` are where each provider may tell us what
    happens."""

    book: Callable[[], Book]
    reporter: Reporter
    accounts: Accounts | None = None
    inventory: Inventory = as_told
    documents: Documents | None = None
    addresses: Callable[[], Mapping[str, str]] = dict
