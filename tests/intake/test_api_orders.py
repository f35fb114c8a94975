"""Standing orders over the socket, the trunks, and the dry run of a batch."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.model import Draft
from dialerd.core.roles import Roles
from dialerd.core.signals import Preview, Submission
from dialerd.intake import document
from tests.intake.serving import JOB, RULES, Served, ndjson

ME, OTHER, THIRD = os.getuid(), 4242, 4243
NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s") as running:
        yield running


def batch_of(served: Served, owner: int, name: str = "spring") -> None:
    (draft,) = document.parse({**JOB, "batch": name}, RULES, datetime.now(UTC))
    served.desk.submit([Submission(owner, draft)]).result(10)


def standing(served: Served) -> list[str]:
    return [order["scope"] for order in served.ask("GET", "/v1/orders").json["orders"]]


def test_what_is_paused_stands_with_who_and_why_until_it_is_resumed(served: Served) -> None:
    paused = served.ask("POST", "/v1/pause", {"scope": "all", "reason": "the fire alarm"})
    (order,) = served.ask("GET", "/v1/orders").json["orders"]
    resumed = served.ask("POST", "/v1/resume", {"scope": "all"})
    assert (paused.status, paused.json["word"], resumed.json["word"]) == (200, "paused", None)
    assert (order["scope"], order["by"], order["reason"]) == ("all", ME, "the fire alarm")
    assert standing(served) == []


def test_a_trunk_is_paused_and_shows_it(served: Served) -> None:
    served.ask("POST", "/v1/pause", {"scope": "trunk:main"})
    (line,) = served.ask("GET", "/v1/trunks").json["trunks"]
    assert (line["name"], line["paused"]) == ("main", True)


def test_a_batch_without_its_owner_is_the_callers_own(served: Served) -> None:
    batch_of(served, ME)
    batch_of(served, OTHER)
    served.ask("POST", "/v1/pause", {"scope": "batch:spring"})
    assert standing(served) == [f"batch:{ME}:spring"]


def test_a_batch_that_only_another_user_has_is_found(served: Served) -> None:
    batch_of(served, OTHER)
    served.ask("POST", "/v1/pause", {"scope": "batch:spring"})
    assert standing(served) == [f"batch:{OTHER}:spring"]


def test_a_batch_that_several_others_have_needs_its_owner(served: Served) -> None:
    batch_of(served, OTHER)
    batch_of(served, THIRD)
    refused = served.ask("POST", "/v1/pause", {"scope": "batch:spring"})
    named = served.ask("POST", "/v1/pause", {"scope": f"batch:{THIRD}:spring"})
    assert (refused.status, named.status) == (422, 200)
    assert f"batch:{OTHER}:spring" in refused.json["detail"]
    assert standing(served) == [f"batch:{THIRD}:spring"]


def test_a_batch_is_cancelled_by_its_address(served: Served) -> None:
    batch_of(served, ME, "a/b c")
    answer = served.ask("POST", "/v1/batches/a%2Fb%20c/cancel", {"reason": "wrong list"})
    assert (answer.status, answer.json["scope"], answer.json["word"]) == (
        200,
        f"batch:{ME}:a/b c",
        "cancelled",
    )


def test_a_batch_is_cancelled_for_the_owner_that_is_named(served: Served) -> None:
    batch_of(served, ME)
    batch_of(served, OTHER)
    answer = served.ask("POST", f"/v1/batches/spring/cancel?owner={OTHER}")
    assert answer.json["scope"] == f"batch:{OTHER}:spring"


@pytest.mark.parametrize("scope", ["trunk:nowhere", "batch:nowhere"])
def test_what_is_not_there_can_not_be_paused(served: Served, scope: str) -> None:
    assert served.ask("POST", "/v1/pause", {"scope": scope}).status == 409


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({}, 422, "scope"),
        (None, 422, "scope"),
        ({"scope": "everything"}, 422, "scope"),
        ({"scope": "trunk:"}, 422, "scope"),
        ({"scope": 1}, 422, "scope"),
        ({"scope": "all", "reason": "x" * 501}, 422, "reason"),
        ({"scope": "all", "why": "x"}, 422, "why"),
        ([], 422, ""),
        (b"{", 400, ""),
    ],
)
def test_an_order_with_mistakes_is_refused(served: Served, body: Any, status: int, where: str) -> None:
    answer = served.ask("POST", "/v1/pause", body)
    assert (answer.status, answer.json["mistakes"][0]["where"]) == (status, where)
    assert standing(served) == []


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Served]:
    """Before somebody who is no administrator."""
    with Served(tmp_path / "plain") as running:
        running.api.reconfigure(RULES, Roles(admins=frozenset()))
        yield running


@pytest.mark.parametrize("scope", ["all", "trunk:main", f"batch:{OTHER}:spring"])
def test_an_ordinary_member_can_not_pause_what_is_not_his(plain: Served, scope: str) -> None:
    batch_of(plain, OTHER)
    answer = plain.ask("POST", "/v1/pause", {"scope": scope})
    assert (answer.status, answer.json["type"]) == (403, "urn:dialerd:problem:not-permitted")
    assert plain.desk.standing == {}


def test_an_ordinary_member_pauses_and_cancels_his_own_batch(plain: Served) -> None:
    batch_of(plain, ME)
    paused = plain.ask("POST", "/v1/pause", {"scope": "batch:spring"})
    cancelled = plain.ask("POST", "/v1/batches/spring/cancel")
    assert (paused.status, cancelled.status) == (200, 200)
    assert plain.desk.standing[f"batch:{ME}:spring"].word == "cancelled"


def test_an_ordinary_member_does_not_learn_whose_batch_has_a_name(plain: Served) -> None:
    batch_of(plain, OTHER)
    answer = plain.ask("POST", "/v1/pause", {"scope": "batch:spring"})
    assert (answer.status, str(OTHER) in answer.json["detail"]) == (409, False)


def judged(draft: Draft) -> Preview:
    """One on a list, one outside its hours, and all others at once."""
    last = draft.call.to[0][-1]
    if last == "1":
        return Preview("refused", "do_not_call", "It is on the list customers.")
    if last == "2":
        return Preview("later", "hours", "It is outside business hours.", NINE, b"Channel: two\n")
    return Preview("now", call_file=b"Channel: else\n")


def dry(served: Served, *documents: dict[str, Any]) -> list[Any]:
    served.desk.judge = judged
    return served.ask("POST", "/v1/jobs/batch?dry_run=1", ndjson(*documents)).lines


def test_a_dry_run_judges_each_line_and_accepts_none(served: Served) -> None:
    answers = dry(served, *({**JOB, "to": f"+49301234567{digit}"} for digit in "123"), {"to": 1})
    assert [(each["line"], each["status"], each.get("verdict")) for each in answers] == [
        (1, 200, "refused"),
        (2, 200, "later"),
        (3, 200, "now"),
        (4, 422, None),
    ]
    assert answers[0] == {
        "line": 1,
        "status": 200,
        "verdict": "refused",
        "rule": "do_not_call",
        "why": "It is on the list customers.",
        "at": None,
        "to": ["+493012345671"],
    }
    assert answers[1]["at"] == "2026-12-01T09:00:00.000Z"
    assert served.ask("GET", "/v1/jobs").json["jobs"] == []
    assert served.desk.commits == []


def test_only_the_first_line_that_would_be_called_shows_its_call_file(served: Served) -> None:
    answers = dry(served, *({**JOB, "to": f"+49301234567{digit}"} for digit in "1" * 600 + "232"))
    shown = [(each["line"], each["call_file"]) for each in answers if "call_file" in each]
    assert shown == [(601, "Channel: two\n")]


def test_of_several_numbers_a_line_has_the_worst_verdict(served: Served) -> None:
    (answer,) = dry(served, {**JOB, "to": ["+493012345673", "+493012345671", "+493012345672"]})
    assert (answer["verdict"], len(answer["to"])) == ("refused", 3)


@pytest.mark.parametrize("value", ["2", "yes", ""])
def test_a_dry_run_that_is_no_yes_or_no_is_refused(served: Served, value: str) -> None:
    assert served.ask("POST", f"/v1/jobs/batch?dry_run={value}", ndjson(JOB)).status == 422


@pytest.mark.parametrize("asked", [{"scope": "batch:\ud800"}, {"scope": "all", "reason": "\udfff"}])
def test_half_a_character_is_refused_before_the_engine_sees_it(served: Served, asked: dict[str, str]) -> None:
    answer = served.ask("POST", "/v1/pause", asked)
    assert (answer.status, standing(served)) == (422, [])


def test_a_batch_whose_name_looks_like_anothers_scope_is_cancelled_by_its_address(served: Served) -> None:
    batch_of(served, ME, f"{OTHER}:spring")
    batch_of(served, OTHER, "spring")
    answer = served.ask("POST", f"/v1/batches/{OTHER}:spring/cancel")
    assert answer.json["scope"] == f"batch:{ME}:{OTHER}:spring"


def test_an_owner_with_noughts_before_him_is_the_same_owner(served: Served) -> None:
    batch_of(served, OTHER)
    answer = served.ask("POST", "/v1/pause", {"scope": f"batch:000{OTHER}:spring"})
    assert answer.json["scope"] == f"batch:{OTHER}:spring"
