"""What the client asks of reports: which are not delivered, and to try them again."""

from collections.abc import Iterator
from typing import Any

from dialerd.client.asking import Asks, query

_PAGE = 500


class Reports:
    """The client's methods on reports."""

    def report_sinks(self: Asks) -> dict[str, dict[str, Any]]:
        """Of each sink: how many reports are pending, dead and delivered, and why it fails, if it does."""
        sinks: dict[str, dict[str, Any]] = self._get("/v1/reports" + query({"limit": 1}))["sinks"]
        return sinks

    def reports(
        self: Asks, sink: str | None = None, dead: bool | None = None, limit: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """The reports that are not delivered, page by page; only the dead ones, or only the others."""
        cursor, left = None, limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            flag = None if dead is None else int(dead)
            asked = {"sink": sink, "dead": flag, "limit": size, "cursor": cursor}
            page = self._get("/v1/reports" + query(asked))
            yield from page["reports"]
            cursor, left = page["next"], None if left is None else left - len(page["reports"])
            if cursor is None:
                return

    def retry_reports(self: Asks, sink: str | None = None) -> int:
        """Has all that waits (for a sink, or for any) tried now, the dead ones too; returns how many dead
        ones live again."""
        return int(self._call("POST", "/v1/reports/retry" + query({"sink": sink}))[1]["revived"])
