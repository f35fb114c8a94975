"""A real Api on a real socket, before reports that only lie in their store."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from dialerd.core import ids
from dialerd.core.reporting import Delivery
from dialerd.intake.api import Api, ApiSettings
from dialerd.intake.api.extras import Extras
from dialerd.store.reports import ReportStore
from tests.intake.desk import MemoryDesk
from tests.intake.serving import RULES, Served
from tests.reports.world import NOW


class KeptReports:
    """A reporter that only remembers."""

    def __init__(self, store: ReportStore) -> None:
        self.store = store

    def listing(
        self, sink: str | None = None, dead: bool | None = None, after: str = "", limit: int = 100
    ) -> list[Delivery]:
        return self.store.listing(sink, dead, after, limit)

    def figures(self) -> dict[str, dict[str, Any]]:
        return {
            name: {"pending": each.pending, "dead": each.dead, "delivered": each.delivered}
            for name, each in self.store.figures().items()
        }

    def retry(self, sink: str | None = None) -> int:
        return sum(self.store.retry(each, NOW) for each in self.figures() if sink in (None, each))


class ReportsServed(Served):
    """An Api that knows reports."""

    def __init__(self, path: Path, store: ReportStore) -> None:
        self.path, self.desk, self.store = path, MemoryDesk(), store
        self.settings = ApiSettings(path)
        extras = Extras(lambda: None, KeptReports(store))  # type: ignore[arg-type, return-value]
        self.api = Api(self.settings, self.desk, RULES, extras=extras)


@contextmanager
def serving(folder: Path) -> Iterator[ReportsServed]:
    """Two sinks; webhooks.crm waits for three reports and gave one of them up."""
    store = ReportStore(folder)
    store.add_sink("webhooks.crm", 0)
    store.add_sink("results", 0)
    store.take_up("webhooks.crm", [(number, ids.to_text(number)) for number in (1, 2, 3)], 3, NOW)
    store.give_up("webhooks.crm", 1, "it is away")
    store.failed("webhooks.crm", 2, "it is away", NOW + timedelta(minutes=5))
    try:
        with ReportsServed(folder / "socket", store) as served:
            yield served  # type: ignore[misc]
    finally:
        store.close()
