"""What the API tells of beside the desk."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from dialerd.core.documents import Documents
from dialerd.core.meters import NOBODY, Meters
from dialerd.intake.api.check import Look
from dialerd.intake.api.lists import Book
from dialerd.intake.api.providers import Accounts, Inventory, as_told
from dialerd.intake.api.reports import Reporter


@dataclass(frozen=True, slots=True)
class Extras:
    """The stop lists and rates that count now, the reports, the accounts with providers with what we know of
    their numbers, and the documents to be faxed. `addresses` are where each provider may tell us what
    happens. `metrics` is what GET /metrics shows; it may take some milliseconds, and is called in a thread.
    `look` looks at everything for GET /v1/check, and `backup` begins a backup."""

    book: Callable[[], Book]
    reporter: Reporter
    accounts: Accounts | None = None
    inventory: Inventory = as_told
    documents: Documents | None = None
    addresses: Callable[[], Mapping[str, str]] = dict
    meters: Meters = NOBODY
    metrics: Callable[[], bytes] | None = None
    look: Look | None = None
    backup: Callable[[], Generator[bytes, None, None]] | None = None
