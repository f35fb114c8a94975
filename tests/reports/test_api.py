"""The routes, on a real socket."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dialerd.core import ids
from dialerd.intake.api.reports import OPENAPI_PATHS
from tests.reports.serving import ReportsServed, serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ReportsServed]:
    with serving(tmp_path) as served:
        yield served


def asked(served: ReportsServed, query: str = "", path: str = "/v1/reports", method: str = "GET") -> Any:
    """A good answer, which fits its schema."""
    heard = served.ask(method, f"{path}?{query}")
    assert heard.status == 200, heard.data
    schema = OPENAPI_PATHS[path][method.lower()]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(heard.json, schema)
    return heard.json


def test_a_page_shows_each_sink_and_each_report(served: ReportsServed) -> None:
    found = asked(served)

    assert found["sinks"]["webhooks.crm"] == {"pending": 2, "dead": 1, "delivered": 0}
    assert found["next"] is None
    assert found["reports"][:2] == [
        {
            "sink": "webhooks.crm",
            "id": "evt_1",
            "job": ids.to_text(1),
            "tries": 1,
            "since": "2026-11-21T09:00:00.000Z",
            "dead": True,
            "why": "it is away",
        },
        {
            "sink": "webhooks.crm",
            "id": "evt_2",
            "job": ids.to_text(2),
            "tries": 1,
            "since": "2026-11-21T09:00:00.000Z",
            "next_try": "2026-11-21T09:05:00.000Z",
            "dead": False,
            "why": "it is away",
        },
    ]


def test_pages_go_on_where_the_last_ended(served: ReportsServed) -> None:
    first = asked(served, "limit=2")
    second = asked(served, f"limit=2&cursor={first['next']}")

    assert [each["id"] for each in first["reports"] + second["reports"]] == ["evt_1", "evt_2", "evt_3"]
    assert second["next"] is None


def test_the_dead_are_listed_alone(served: ReportsServed) -> None:
    assert [each["id"] for each in asked(served, "dead=1&sink=webhooks.crm")["reports"]] == ["evt_1"]
    assert len(asked(served, "dead=0")["reports"]) == 2


def test_a_retry_tells_how_many_live_again(served: ReportsServed) -> None:
    one = asked(served, "sink=results", "/v1/reports/retry", "POST")
    all_ = asked(served, "", "/v1/reports/retry", "POST")

    assert (one, all_) == ({"revived": 0}, {"revived": 1})
    assert asked(served)["sinks"]["webhooks.crm"] == {"pending": 3, "dead": 0, "delivered": 0}


def test_a_retry_takes_no_body(served: ReportsServed) -> None:
    assert served.ask("POST", "/v1/reports/retry", {"sink": "results"}).status == 422


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("sink=webhooks.crn", 'Did you mean "webhooks.crm"?'),
        ("dead=yes", "dead=1"),
        ("limit=0", "whole number"),
        ("cursor=x", "no cursor"),
        ("cursor=webhooks.crm/-1", "no cursor"),
        ("sinks=x", 'Did you mean "sink"?'),
    ],
)
def test_a_wrong_parameter_is_told(served: ReportsServed, query: str, why: str) -> None:
    heard = served.ask("GET", f"/v1/reports?{query}")

    assert heard.status == 422
    assert why in heard.json["detail"]
