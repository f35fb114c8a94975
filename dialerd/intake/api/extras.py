"""What the API tells of beside the desk."""

from collections.abc import Callable
from dataclasses import dataclass

from dialerd.intake.api.lists import Book
from dialerd.intake.api.reports import Reporter


@dataclass(frozen=True, slots=True)
class Extras:
    """The stop lists and rates that count now, and the reports."""

    book: Callable[[], Book]
    reporter: Reporter
