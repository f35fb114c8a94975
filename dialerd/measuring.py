"""Brings the metrics and the parts together for the daemon: who counts, and who is asked."""

from pathlib import Path

from dialerd.cloud import Cloud
from dialerd.engine.desk import Desk
from dialerd.engine.engine import Engine
from dialerd.engine.housekeeping import Housekeeper
from dialerd.metrics import Counts, Exposition, Looks, Sources
from dialerd.reloading import Reloading
from dialerd.reports.reporter import Reporter
from dialerd.store.figures import Figures
from dialerd.store.sqlite import SqliteStore

DEADLINE_S = 2.0
"""How long the store is asked for figures at most, so that whoever reads the metrics is answered in time."""


class Measures:
    """The metrics of one daemon. `counts` is handed to whatever counts; `text` is what Prometheus reads."""

    def __init__(self) -> None:
        self._exposition = Exposition()
        self.counts = Counts(self._exposition.registry)
        self.text = self._exposition.text
        self._figures: Figures | None = None

    def count(self, engine: Engine, store: SqliteStore, cloud: Cloud) -> None:
        """From here on, what they do is counted. To be called before they work."""
        engine.ledger.meters = engine.inbox.meters = store.meters = self.counts
        self.know(engine, cloud)

    def know(self, engine: Engine, cloud: Cloud) -> None:
        """The names that the configuration has by now are labels."""
        self.counts.know(engine.trunks.lines(), cloud.accounts.names())

    def look(
        self,
        state: Path,
        spool: Path,
        desk: Desk,
        engine: Engine,
        cloud: Cloud,
        reporter: Reporter,
        housekeeper: Housekeeper,
        rules: Reloading,
    ) -> None:
        """From here on, they are asked whenever somebody reads the metrics."""
        self._figures = Figures(state, DEADLINE_S)
        sources = Sources(
            desk=desk,
            engine=engine,
            figures=self._figures,
            outgoing=spool / "outgoing",
            accounts=cloud.accounts.describe,
            reports=reporter.figures,
            stuck=lambda: housekeeper.stuck,
            reload_refused=lambda: rules.refused,
        )
        self._exposition.add(Looks(sources))

    def close(self) -> None:
        """Asks the store no more."""
        if self._figures is not None:
            self._figures.close()
