"""What the client asks of reports: which are not delivered, and to try them again."""

from collections.abc import Iterator, Mapping
from typing import Any

_PAGE = 500


class Reports:
    """A part of the Client."""

    def _get(self, target: str) -> dict[str, Any]:
        raise NotImplementedError

    def _call(
        self, method: str, target: str, body: Mapping[str, Any] | None = None, again: bool = True
    ) -> tuple[int, dict[str, Any]]:
        raise NotImplementedError

    def report_sinks(self) -> dict[str, dict[str, Any]]:
        """Of each sink: how many reports are pending, dead and delivered, and why it fails, if it does."""
        sinks: dict[str, dict[str, Any]] = self._get("/v1/reports" + _query(limit=1))["sinks"]
        return sinks

    def reports(
        self, sink: str | None = None, dead: bool | None = None, limit: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """The reports that are not delivered, page by page; only the dead ones, or only the others."""
        cursor, left = None, limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            flag = None if dead is None else int(dead)
            page = self._get("/v1/reports" + _query(sink=sink, dead=flag, limit=size, cursor=cursor))
            yield from page["reports"]
            cursor, left = page["next"], None if left is None else left - len(page["reports"])
            if cursor is None:
                return

    def retry_reports(self, sink: str | None = None) -> int:
        """Has all that waits (for a sink, or for any) tried now, the dead ones too; returns how many dead
        ones live again."""
        return int(self._call("POST", "/v1/reports/retry" + _query(sink=sink))[1]["revived"])


def _query(**values: str | int | None) -> str:
    from urllib.parse import urlencode

    given = {name: value for name, value in values.items() if value is not None}
    return "?" + urlencode(given) if given else ""
