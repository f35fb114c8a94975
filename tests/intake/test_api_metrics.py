"""GET /metrics: who may read, and what a daemon without metrics says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dialerd.core.roles import Right, Role, Roles, with_included
from dialerd.intake.api import Api, Extras
from dialerd.intake.api.openapi import openapi
from tests.intake.serving import RULES, Served

TEXT = b"# TYPE dialerd_problems gauge\ndialerd_problems 0.0\n"


class Measured(Served):
    """A socket with metrics; the caller has these rights only."""

    def __init__(
        self, path: Path, *rights: Right, metrics: Callable[[], bytes] | None = lambda: TEXT
    ) -> None:
        super().__init__(path)
        role = Role("member", rights=with_included(rights))
        extras = Extras(book=None, reporter=None, metrics=metrics)  # type: ignore[arg-type]
        self.api = Api(self.settings, self.desk, RULES, Roles((role,), admins=frozenset()), extras)


def test_whoever_may_see_all_jobs_reads_the_metrics(tmp_path: Path) -> None:
    with Measured(tmp_path / "s", Right.VIEW_ALL) as measured:
        heard = measured.ask("GET", "/metrics")

    assert (heard.status, heard.data) == (200, TEXT)
    assert heard.type == "text/plain; version=0.0.4; charset=utf-8"


def test_others_may_not(tmp_path: Path) -> None:
    with Measured(tmp_path / "s", Right.SUBMIT) as measured:
        heard = measured.ask("GET", "/metrics")

    assert heard.status == 403
    assert heard.json["rule"] == "role"
    assert "read the metrics" in heard.json["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/metrics", 405), ("GET", "/metrics?a=1", 422)]
)
def test_nothing_else_is_taken(tmp_path: Path, method: str, path: str, status: int) -> None:
    with Measured(tmp_path / "s", Right.VIEW_ALL) as measured:
        assert measured.ask(method, path).status == status


def test_where_there_are_none_there_is_nothing_at_the_address(tmp_path: Path) -> None:
    with Measured(tmp_path / "s", Right.VIEW_ALL, metrics=None) as measured:
        assert measured.ask("GET", "/metrics").status == 404


def test_the_description_has_the_route() -> None:
    assert set(openapi()["paths"]["/metrics"]) == {"get"}
