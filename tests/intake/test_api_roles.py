"""Who may do what over the socket: the peer's uid and groups decide, by the kernel's word."""

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.roles import Right, Role, Roles, with_included
from dialerd.core.signals import Submission
from dialerd.intake import document
from dialerd.intake.people import groups_of, peer_of
from tests.intake.peers import ask_as, needs_root, open_to_all
from tests.intake.serving import JOB, RULES, Served, ndjson, read_all
from tests.waiting import until

ME, OTHER = os.geteuid(), 41030
ANNA, BERT, OPERATOR = 41031, 41032, 41033
SALES, OPERATORS = 41041, 41042
NOBODY_IS_ADMIN: frozenset[int] = frozenset()


def roles(*rights: Right, **fields: Any) -> Roles:
    """The user who runs the tests is no admin, but in one role with these rights."""
    mine = Role("sales", users=frozenset({ME}), rights=with_included(rights), **fields)
    return Roles((mine,), NOBODY_IS_ADMIN)


ORDINARY = roles(Right.SUBMIT, Right.OPERATE_OWN)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s", mode=0o666) as running:
        open_to_all(running.path)
        yield running


def job_of(served: Served, owner: int, **fields: Any) -> str:
    (draft,) = document.parse({**JOB, **fields}, RULES, datetime.now(UTC))
    (answer,) = served.desk.submit([Submission(owner, draft)]).result(60)
    return str(answer.job.id)


def listed(served: Served, query: str = "") -> list[str]:
    return [job["id"] for job in served.ask("GET", f"/v1/jobs{query}").json["jobs"]]


def events(served: Served, query: str = "") -> list[str]:
    data = served.ask("GET", f"/v1/events?follow=0{query}").data
    return [json.loads(line[6:])["job"] for line in data.splitlines() if line.startswith(b"data: ")]


def test_without_the_right_nothing_is_submitted_and_the_line_that_gives_it_is_told(served: Served) -> None:
    served.api.reconfigure(RULES, roles(Right.VIEW_OWN))

    answers = [
        served.ask("POST", "/v1/jobs", JOB),
        served.ask("POST", "/v1/jobs/batch", ndjson(JOB), Idempotency_Key="k"),
    ]

    for answer in answers:
        assert (answer.status, answer.json["rule"]) == (403, "role")
        assert answer.json["type"] == "urn:dialerd:problem:not-permitted"
        assert 'under [roles.sales]: may = ["submit", "view-own"]' in answer.json["detail"]
    assert served.desk.commits == []


def test_another_users_job_is_answered_as_one_that_is_not_there(served: Served) -> None:
    served.api.reconfigure(RULES, ORDINARY)
    theirs, mine = job_of(served, OTHER), job_of(served, ME)

    hidden, missing, own = (served.ask("GET", f"/v1/jobs/{job_id}") for job_id in (theirs, "0" * 13, mine))

    assert (hidden.status, missing.status, own.status) == (404, 404, 200)
    assert hidden.data.replace(theirs.encode(), b"0" * 13) == missing.data


@pytest.mark.parametrize("verb", ["cancel", "hold", "release", "requeue", "resolve?as=failed"])
def test_no_verb_reaches_another_users_job(served: Served, verb: str) -> None:
    served.api.reconfigure(RULES, ORDINARY)
    theirs = job_of(served, OTHER)

    answer = served.ask("POST", f"/v1/jobs/{theirs}/{verb}")

    assert answer.status == 404
    assert served.desk.job(theirs)[0].state == "queued"


def test_who_may_see_all_is_told_that_he_may_not_operate(served: Served) -> None:
    served.api.reconfigure(RULES, roles(Right.VIEW_ALL))
    theirs = job_of(served, OTHER)

    seen, cancelled = served.ask("GET", f"/v1/jobs/{theirs}"), served.ask("POST", f"/v1/jobs/{theirs}/cancel")

    assert (seen.status, cancelled.status, cancelled.json["rule"]) == (200, 403, "role")
    assert "may not change what becomes of other users' jobs" in cancelled.json["detail"]


@pytest.mark.parametrize(("right", "status"), [(Right.VIEW_OWN, 403), (Right.OPERATE_OWN, 200)])
def test_an_own_job_is_operated_on_with_the_right(served: Served, right: Right, status: int) -> None:
    served.api.reconfigure(RULES, roles(right))

    assert served.ask("POST", f"/v1/jobs/{job_of(served, ME)}/cancel").status == status


def test_an_operator_cancels_anybodys_job(served: Served) -> None:
    served.api.reconfigure(RULES, roles(Right.OPERATE))
    theirs = job_of(served, OTHER)

    assert served.ask("POST", f"/v1/jobs/{theirs}/cancel").json["state"] == "cancelled"


def test_only_own_jobs_are_listed_and_asking_for_anothers_is_refused(served: Served) -> None:
    served.api.reconfigure(RULES, ORDINARY)
    job_of(served, OTHER, batch="b")
    mine = job_of(served, ME, batch="b")

    refused = served.ask("GET", f"/v1/jobs?owner={OTHER}")

    assert [listed(served), listed(served, "?batch=b"), listed(served, f"?owner={ME}")] == [[mine]] * 3
    assert (refused.status, refused.json["rule"]) == (403, "role")
    assert 'may = ["submit", "view-all", "operate-own"]' in refused.json["detail"]


def test_nothing_is_listed_without_the_right_to_see_own_jobs(served: Served) -> None:
    served.api.reconfigure(RULES, roles(Right.SUBMIT))

    statuses = [served.ask("GET", path).status for path in ("/v1/jobs", "/v1/events?follow=0", "/v1/status")]

    assert statuses == [403, 403, 200]


def test_only_events_of_own_jobs_are_told(served: Served) -> None:
    served.api.reconfigure(RULES, ORDINARY)
    theirs, mine = job_of(served, OTHER, batch="b"), job_of(served, ME, batch="b")

    found = [events(served, query) for query in ("", "&batch=b", f"&job={mine}", f"&job={theirs}", "&job=x")]

    assert found == [[mine], [mine], [mine], [], []]


def test_all_events_are_told_to_who_may_see_all(served: Served) -> None:
    served.api.reconfigure(RULES, roles(Right.VIEW_ALL))
    jobs = [job_of(served, owner) for owner in (OTHER, ME, OTHER)]

    assert events(served) == jobs


def test_own_events_behind_very_many_of_others_are_found(served: Served) -> None:
    served.api.reconfigure(RULES, ORDINARY)
    theirs = job_of(served, OTHER)
    served.desk.log += [replace(served.desk.log[0], id=number) for number in range(2, 25_001)]
    mine = job_of(served, ME)

    assert events(served) == [mine]
    assert events(served, f"&job={theirs}") == []


def test_a_stream_ends_when_a_reload_takes_the_right_away(served: Served) -> None:
    served.api.reconfigure(RULES, ORDINARY)
    with served.plug() as plug:
        plug.sendall(b"GET /v1/events HTTP/1.1\r\nHost: dialerd\r\n\r\n")
        until(lambda: served.desk.subscribers)
        served.api.reconfigure(RULES, roles(Right.SUBMIT))
        job = job_of(served, ME)
        data = read_all(plug)

    assert b"retry: 1000" in data
    assert job.encode() not in data


def test_a_reload_counts_on_open_connections_from_the_next_request_on(served: Served) -> None:
    served.api.reconfigure(RULES, roles(Right.SUBMIT, applications=("Milliwatt",)))
    echo = {"to": JOB["to"], "application": "Echo"}
    with served.connection() as connection:
        statuses = []
        for reload in (None, RULES, replace(RULES, applications=())):
            if reload is not None:
                served.api.reconfigure(reload, ORDINARY)
            connection.request("POST", "/v1/jobs", json.dumps(echo))
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)

    assert statuses == [422, 201, 422]


def test_a_reload_counts_for_the_next_lines_of_a_batch(served: Served) -> None:
    served.api.reconfigure(RULES, ORDINARY)
    line = ndjson(JOB)
    with served.plug() as plug:
        head = "POST /v1/jobs/batch HTTP/1.1\r\nHost: d\r\nIdempotency-Key: k\r\nConnection: close\r\n"
        plug.sendall(f"{head}Content-Length: {2 * len(line)}\r\n\r\n".encode() + line)
        data = plug.recv(65536)
        until(lambda: served.desk.commits)
        served.api.reconfigure(RULES, roles(Right.VIEW_OWN))
        plug.sendall(line)
        data += read_all(plug)

    answers = [json.loads(line) for line in data.splitlines() if line.startswith(b'{"line"')]
    assert [(each["line"], each["status"]) for each in answers] == [(1, 201), (2, 403)]
    assert answers[1]["rule"] == "role"


def test_a_role_has_its_own_lists(served: Served) -> None:
    served.api.reconfigure(RULES, roles(Right.SUBMIT, applications=("Milliwatt",), max_priority=6))

    allowed = served.ask("POST", "/v1/jobs", {"to": JOB["to"], "application": "Milliwatt"})
    refused = served.ask("POST", "/v1/jobs", {"to": JOB["to"], "application": "Echo"})

    assert (allowed.status, refused.status) == (201, 422)
    assert refused.json["mistakes"][0]["where"] == "application"


def test_whoami_tells_roles_rights_and_what_jobs_may_use(served: Served) -> None:
    mine = roles(Right.SUBMIT, Right.OPERATE_OWN, contexts=("leads",), max_priority=8)
    served.api.reconfigure(RULES, mine)

    found = served.ask("GET", "/v1/whoami").json

    assert (found["uid"], found["roles"]) == (ME, ["sales"])
    assert set(found["groups"]) == {os.getegid(), *os.getgroups()}
    assert found["rights"] == ["submit", "view-own", "operate-own"]
    assert found["may_use"] == {
        "contexts": ["leads"],
        "applications": ["Playback", "Echo"],
        "functions": [],
        "channels": [],
        "caller_ids": ["*"],
        "destinations": [["*"]],
        "trunks": ["main"],
        "max_priority": 8,
    }


def test_whoami_is_told_to_one_without_any_right(served: Served) -> None:
    served.api.reconfigure(RULES, Roles((Role("member", users=frozenset({OTHER})),), NOBODY_IS_ADMIN))

    found = served.ask("GET", "/v1/whoami").json

    assert (found["roles"], found["rights"], found["may_use"]) == ([], [], None)


def test_the_user_that_dialerd_runs_as_is_admin_where_no_roles_are_configured(served: Served) -> None:
    assert served.ask("GET", "/v1/whoami").json["roles"] == ["admin"]


def test_the_peer_has_the_groups_of_its_process() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        peer = peer_of(ours)

    assert (peer.uid, peer.groups) == (ME, {os.getegid(), *os.getgroups()})


def test_a_user_that_nobody_knows_has_no_groups() -> None:
    assert groups_of(OTHER) == frozenset()
    assert 0 in groups_of(0)


@pytest.fixture
def crowd(served: Served) -> Served:
    """Ordinary members, a role that a group has, and operators."""
    served.api.reconfigure(
        replace(RULES, applications=("Playback",)),
        Roles(
            (
                Role("sales", groups=frozenset({SALES}), contexts=("leads",)),
                Role(
                    "operators",
                    users=frozenset({OPERATOR}),
                    groups=frozenset({OPERATORS}),
                    rights=with_included([Right.SUBMIT, Right.OPERATE]),
                    applications=("Playback", "Echo"),
                ),
            )
        ),
    )
    return served


ECHO = ("POST", "/v1/jobs", {"to": JOB["to"], "application": "Echo"})


@needs_root
def test_a_member_neither_sees_nor_cancels_anothers_job_and_an_operator_does_both(crowd: Served) -> None:
    ((created, job),) = ask_as(ANNA, crowd.path, ("POST", "/v1/jobs", JOB))
    asked = (("GET", f"/v1/jobs/{job['id']}", None), ("POST", f"/v1/jobs/{job['id']}/cancel", None))

    bert = [status for status, _ in ask_as(BERT, crowd.path, *asked)]
    operator = [status for status, _ in ask_as(OPERATOR, crowd.path, *asked)]

    assert (created, job["owner"]) == (201, ANNA)
    assert (bert, operator) == ([404, 404], [200, 200])


@needs_root
def test_an_application_of_the_operators_is_refused_to_members(crowd: Served) -> None:
    ((member, told),), ((operator, _),) = (ask_as(uid, crowd.path, ECHO) for uid in (ANNA, OPERATOR))

    assert (member, operator) == (422, 201)
    assert "'Echo' is not allowed" in told["mistakes"][0]["what"]


@needs_root
def test_a_supplementary_group_of_the_process_counts_though_no_database_knows_it(crowd: Served) -> None:
    with_group, without = (ask_as(ANNA, crowd.path, ECHO, groups=groups) for groups in ((OPERATORS,), (7, 8)))

    assert (with_group[0][0], without[0][0]) == (201, 422)


@needs_root
def test_the_primary_group_of_the_process_counts(crowd: Served) -> None:
    ((_, found),) = ask_as(ANNA, crowd.path, ("GET", "/v1/whoami", None), gid=SALES)

    assert (found["roles"], found["groups"], found["may_use"]["contexts"]) == (["sales"], [SALES], ["leads"])


@needs_root
def test_the_highest_uid_is_still_a_uid(crowd: Served) -> None:
    ((_, found),) = ask_as(2**32 - 2, crowd.path, ("GET", "/v1/whoami", None), gid=2**32 - 2)

    assert (found["uid"], found["groups"], found["roles"]) == (2**32 - 2, [2**32 - 2], ["member"])


@needs_root
def test_more_groups_than_the_kernel_can_tell_us_leave_those_of_the_database(crowd: Served) -> None:
    many = tuple(range(50_000, 50_300))

    ((_, found),) = ask_as(ANNA, crowd.path, ("GET", "/v1/whoami", None), gid=SALES, groups=many)

    assert found["groups"] == [SALES]


@needs_root
def test_root_is_admin_and_may_use_what_calls_says(crowd: Served) -> None:
    ((_, found),) = ask_as(0, crowd.path, ("GET", "/v1/whoami", None))

    assert found["roles"] == ["admin"]
    assert found["rights"] == [str(right) for right in Right]
