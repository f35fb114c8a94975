"""Routes about jobs, on a real socket."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.errors import Broken, Overloaded
from dialerd.core.model import Disposition
from dialerd.core.states import State
from tests.intake.serving import JOB, Served, ask


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s") as running:
        yield running


def submitted(served: Served, **fields: Any) -> str:
    answer = served.ask("POST", "/v1/jobs", {**JOB, **fields})
    assert answer.status == 201
    return str(answer.json["id"])


def test_a_job_is_accepted_and_belongs_to_the_user_at_the_other_end(served: Served) -> None:
    answer = served.ask("POST", "/v1/jobs", JOB)
    assert answer.status == 201
    assert answer.headers["Location"] == f"/v1/jobs/{answer.json['id']}"
    assert answer.json["owner"] == os.getuid()
    assert answer.json["state"] == "queued"


def test_a_repeated_key_is_answered_with_the_same_job_in_its_present_state(served: Served) -> None:
    first = submitted(served, key="order-7")
    served.desk.end(first, Disposition.ANSWERED)
    again = served.ask("POST", "/v1/jobs", {**JOB, "key": "order-7"})
    assert (again.status, again.json["id"], again.json["state"]) == (200, first, "completed")


def test_a_key_used_for_another_body_is_a_conflict_that_names_the_job(served: Served) -> None:
    first = submitted(served, key="order-7")
    other = served.ask("POST", "/v1/jobs", {**JOB, "key": "order-7", "play": "goodbye"})
    assert (other.status, other.json["job"]) == (409, first)
    assert other.type == "application/problem+json"


def test_the_idempotency_key_header_is_the_key_of_a_document_without_one(served: Served) -> None:
    first = served.ask("POST", "/v1/jobs", JOB, Idempotency_Key="h-1")
    again = served.ask("POST", "/v1/jobs", JOB, Idempotency_Key="h-1")
    own = served.ask("POST", "/v1/jobs", {**JOB, "key": "mine"}, Idempotency_Key="h-1")
    assert first.json["id"] == again.json["id"]
    assert own.json["key"] == "mine"


def test_several_numbers_become_several_jobs_of_one_batch(served: Served) -> None:
    answer = served.ask("POST", "/v1/jobs", {**JOB, "to": ["+493012345678", "+493012345679"], "key": "k"})
    jobs = answer.json["jobs"]
    assert answer.status == 201
    assert [job["key"] for job in jobs] == ["k/1", "k/2"]
    assert {job["batch"] for job in jobs} == {answer.json["batch"]}


def test_every_mistake_is_told_at_once(served: Served) -> None:
    answer = served.ask(
        "POST", "/v1/jobs", {"to": "+493012345678", "wait_tme": 3, "play": "a\nb", "priority": 99}
    )
    assert answer.status == 422
    assert {mistake["where"] for mistake in answer.json["mistakes"]} == {"wait_tme", "play", "priority"}
    assert any('"wait_time"' in mistake["what"] for mistake in answer.json["mistakes"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"to": 1, "to": 2}',
        b'{"to": NaN}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 50 + b"1" + b"}" * 50,
    ],
)
def test_what_is_no_json_is_unreadable(served: Served, body: bytes) -> None:
    answer = served.ask("POST", "/v1/jobs", body)
    assert (answer.status, answer.json["type"]) == (400, "urn:dialerd:problem:unreadable")
    assert answer.json["mistakes"]


@pytest.mark.parametrize("body", [[], [JOB], "text", 3, None])
def test_a_document_that_is_no_object_is_refused(served: Served, body: Any) -> None:
    answer = served.ask("POST", "/v1/jobs", b"null" if body is None else body)
    assert answer.status == 422


def test_a_bound_is_answered_with_when_to_ask_again(served: Served) -> None:
    served.desk.refuse = Overloaded("The queue is full (3 jobs).", 60)
    answer = served.ask("POST", "/v1/jobs", JOB)
    assert (answer.status, answer.headers["Retry-After"], answer.json["retry_after"]) == (503, "60", 60)


def test_a_broken_store_is_answered_with_503(served: Served) -> None:
    served.desk.refuse = Broken("The disk is full.")
    answer = served.ask("POST", "/v1/jobs", JOB)
    assert (answer.status, answer.json["detail"]) == (503, "The disk is full.")


def test_a_bug_is_answered_with_500_and_the_server_goes_on(served: Served) -> None:
    served.desk.refuse = ZeroDivisionError()  # type: ignore[assignment]
    answer = served.ask("POST", "/v1/jobs", JOB)
    served.desk.refuse = None
    assert answer.status == 500
    assert served.ask("POST", "/v1/jobs", JOB).status == 201


def test_an_engine_that_does_not_answer_in_time_is_told_of(tmp_path: Path) -> None:
    with Served(tmp_path / "s", answer_timeout=0.1) as served:
        served.desk.open.clear()
        answer = served.ask("POST", "/v1/jobs", {**JOB, "key": "k"})
        served.desk.open.set()
        again = served.ask("POST", "/v1/jobs", {**JOB, "key": "k"})
    assert answer.status == 503
    assert again.status == 200


def test_a_job_is_shown_with_its_attempts(served: Served) -> None:
    job_id = submitted(served)
    served.desk.end(job_id, Disposition.BUSY)
    shown = served.ask("GET", f"/v1/jobs/{job_id}").json
    assert shown["state"] == "failed"
    assert [attempt["disposition"] for attempt in shown["attempts"]] == ["BUSY"]


@pytest.mark.parametrize("job_id", ["0000000000000", "nonsense", "../status", "%00", "0" * 500])
def test_a_job_that_is_not_there_is_a_404(served: Served, job_id: str) -> None:
    answer = served.ask("GET", f"/v1/jobs/{job_id}")
    assert answer.status == 404
    assert answer.type == "application/problem+json"


def test_jobs_are_listed_newest_first_in_pages(served: Served) -> None:
    ids = [submitted(served) for _ in range(5)]
    found, target = [], "/v1/jobs?limit=2"
    sizes = []
    while True:
        page = served.ask("GET", target).json
        found += [job["id"] for job in page["jobs"]]
        sizes.append(len(page["jobs"]))
        if page["next"] is None:
            break
        target = f"/v1/jobs?limit=2&cursor={page['next']}"
    assert found == ids[::-1]
    assert sizes == [2, 2, 1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=completed", {"a"}),
        ("state=completed,queued", {"a", "b"}),
        ("batch=spring", {"b"}),
        ("tag=blue", {"a"}),
        ("key=a", {"a"}),
        ("to=%2B493012345699", {"b"}),
        ("to=+493012345699", {"b"}),
        (f"owner={os.getuid()}", {"a", "b"}),
        ("owner=4000000000", set()),
    ],
)
def test_jobs_are_filtered(served: Served, query: str, expected: set[str]) -> None:
    done = submitted(served, key="a", tags=["blue"])
    submitted(served, key="b", batch="spring", to="+493012345699")
    served.desk.end(done, Disposition.ANSWERED)
    page = served.ask("GET", f"/v1/jobs?{query}").json
    assert {job["key"] for job in page["jobs"]} == expected


@pytest.mark.parametrize(
    ("query", "where", "what"),
    [
        ("stat=queued", "query.stat", '"state"'),
        ("state=queud", "query.state", '"queued"'),
        ("limit=0", "query.limit", "1 to 1000"),
        ("limit=1e3", "query.limit", "1 to 1000"),
        ("owner=root", "query.owner", "whole number"),
        ("cursor=x", "query.cursor", "next"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_would_be_right(
    served: Served, query: str, where: str, what: str
) -> None:
    answer = served.ask("GET", f"/v1/jobs?{query}")
    assert answer.status == 422
    assert answer.json["mistakes"][0]["where"] == where
    assert what in answer.json["mistakes"][0]["what"]


@pytest.mark.parametrize(
    ("before", "verb", "after"),
    [
        (State.QUEUED, "cancel", "cancelled"),
        (State.QUEUED, "hold", "held"),
        (State.HELD, "release", "queued"),
        (State.FAILED, "requeue", "queued"),
    ],
)
def test_an_operators_verb_is_carried_out(served: Served, before: State, verb: str, after: str) -> None:
    job_id = submitted(served)
    served.desk.put(job_id, before)
    answer = served.ask("POST", f"/v1/jobs/{job_id}/{verb}")
    assert (answer.status, answer.json["state"]) == (200, after)


def test_cancelling_a_call_under_way_is_a_202_until_it_is_certain(served: Served) -> None:
    job_id = submitted(served)
    served.desk.put(job_id, State.SUBMITTED)
    answer = served.ask("POST", f"/v1/jobs/{job_id}/cancel")
    assert (answer.status, answer.json["state"]) == (202, "submitted")


@pytest.mark.parametrize(
    ("as_", "state"), [("completed", "completed"), ("failed", "failed"), ("requeue", "queued")]
)
def test_a_doubt_is_resolved_by_a_body_or_a_parameter(served: Served, as_: str, state: str) -> None:
    by_body, by_query = submitted(served), submitted(served)
    for job_id in (by_body, by_query):
        served.desk.put(job_id, State.HELD)
    one = served.ask("POST", f"/v1/jobs/{by_body}/resolve", {"as": as_})
    other = served.ask("POST", f"/v1/jobs/{by_query}/resolve?as={as_}")
    assert (one.json["state"], other.json["state"]) == (state, state)


@pytest.mark.parametrize("body", [None, {}, {"as": "complete"}, {"as": 3}, {"as": "failed", "x": 1}, b"{"])
def test_a_resolution_that_is_none_is_refused(served: Served, body: Any) -> None:
    job_id = submitted(served)
    served.desk.put(job_id, State.HELD)
    answer = served.ask("POST", f"/v1/jobs/{job_id}/resolve", body)
    assert answer.status in (400, 422)
    assert served.desk.job(job_id)[0].state is State.HELD


def test_what_the_state_does_not_allow_is_a_409(served: Served) -> None:
    job_id = submitted(served)
    answer = served.ask("POST", f"/v1/jobs/{job_id}/release")
    assert (answer.status, answer.json["type"]) == (409, "urn:dialerd:problem:not-allowed")


def test_a_verb_that_takes_no_body_refuses_one(served: Served) -> None:
    answer = served.ask("POST", f"/v1/jobs/{submitted(served)}/cancel", {"as": "failed"})
    assert answer.status == 422


def test_an_unknown_verb_names_the_nearest(served: Served) -> None:
    answer = served.ask("POST", f"/v1/jobs/{submitted(served)}/cancle")
    assert answer.status == 404
    assert '"cancel"' in answer.json["detail"]


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        ("DELETE", "/v1/jobs", "POST, GET"),
        ("GET", "/v1/jobs/batch", "POST"),
        ("POST", "/healthz", "GET"),
        ("GET", "/v1/jobs/0000000000000/cancel", "POST"),
    ],
)
def test_a_method_that_an_address_does_not_take_is_a_405(
    served: Served, method: str, target: str, allow: str
) -> None:
    answer = served.ask(method, target)
    assert (answer.status, answer.headers["Allow"]) == (405, allow)


def test_an_unknown_address_names_the_nearest(served: Served) -> None:
    answer = served.ask("GET", "/v1/job")
    assert answer.status == 404
    assert '"/v1/jobs"' in answer.json["detail"]


def test_one_connection_serves_many_requests(served: Served) -> None:
    with served.connection() as connection:
        statuses = [ask(connection, "POST", "/v1/jobs", body).status for body in (JOB, {"to": 1}, b"{", JOB)]
    assert statuses == [201, 422, 400, 201]


def test_status_and_health_are_told(served: Served) -> None:
    assert served.ask("GET", "/v1/status").json["asterisk"]["ami"] == "up"
    assert served.ask("GET", "/healthz").json == {"status": "ok"}
