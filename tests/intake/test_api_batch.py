"""POST /v1/jobs/batch: streamed both ways, in bounds, and safe to repeat."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.errors import Overloaded
from tests.intake.serving import JOB, Served, flood, ndjson, read_all
from tests.waiting import until


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s") as running:
        yield running


def batch(served: Served, body: bytes, target: str = "/v1/jobs/batch", **headers: str) -> list[Any]:
    answer = served.ask("POST", target, body, **headers)
    assert (answer.status, answer.type) == (200, "application/x-ndjson")
    return answer.lines


def head(*lines: str) -> bytes:
    return "\r\n".join(["POST /v1/jobs/batch HTTP/1.1", "Host: d", *lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def answers_so_far(plug: socket.socket, count: int) -> list[Any]:
    """The first answer lines of a response that goes on."""
    data = b""
    while data.count(b'"line"') < count or not data.endswith(b"\n\r\n"):
        data += plug.recv(65536)
    return [json.loads(line) for line in data.split(b"\r\n\r\n", 1)[1].splitlines() if line.startswith(b"{")]


def test_every_line_has_one_answer_in_order(served: Served) -> None:
    documents = [{**JOB, "key": str(number)} for number in range(1200)]
    answers = batch(served, ndjson(*documents))
    assert [answer["line"] for answer in answers] == list(range(1, 1201))
    assert {answer["status"] for answer in answers} == {201}
    assert [answer["jobs"][0]["key"] for answer in answers] == [str(number) for number in range(1200)]


def test_lines_share_commits(served: Served) -> None:
    batch(served, ndjson(*[JOB] * 1200), Idempotency_Key="b")
    assert sum(served.desk.commits) == 1200
    assert len(served.desk.commits) < 40
    assert max(served.desk.commits) <= 500


def test_bad_lines_are_answered_with_their_mistakes_and_the_rest_goes_on(served: Served) -> None:
    body = ndjson(JOB) + b"{nonsense\n\n" + ndjson({**JOB, "wait_tme": 1}, JOB, [JOB]) + b"\xff\n"
    answers = batch(served, body, Idempotency_Key="b")
    assert [(answer["line"], answer["status"]) for answer in answers] == [
        (1, 201), (2, 422), (4, 422), (5, 201), (6, 422), (7, 422),
    ]  # fmt: skip
    assert answers[2]["mistakes"][0]["where"] == "wait_tme"


def test_a_repeated_batch_accepts_nothing_twice(served: Served) -> None:
    body = ndjson(JOB, {**JOB, "key": "own"}, {**JOB, "to": ["+493012345671", "+493012345672"]})
    first = batch(served, body, Idempotency_Key="b")
    again = batch(served, body, Idempotency_Key="b")
    assert [answer["status"] for answer in again] == [200, 200, 200]
    assert [answer["jobs"] for answer in again] == [answer["jobs"] for answer in first]
    assert len(served.ask("GET", "/v1/jobs").json["jobs"]) == 4


def test_the_batch_parameter_names_the_batch_and_the_keys(served: Served) -> None:
    batch(served, ndjson(JOB, {**JOB, "batch": "own"}), "/v1/jobs/batch?batch=spring")
    again = batch(served, ndjson(JOB, {**JOB, "batch": "own"}), "/v1/jobs/batch?batch=spring")
    jobs = served.ask("GET", "/v1/jobs").json["jobs"]
    assert [job["batch"] for job in jobs] == ["own", "spring"]
    assert [answer["status"] for answer in again] == [200, 200]


def test_lines_that_could_be_accepted_twice_are_refused(served: Served) -> None:
    (answer,) = batch(served, ndjson(JOB))
    assert (answer["status"], answer["mistakes"][0]["where"]) == (422, "key")
    assert "Idempotency-Key" in answer["detail"]


def test_a_cut_batch_accepts_its_whole_lines_only_and_can_be_repeated(served: Served) -> None:
    body = ndjson(*[JOB] * 50)
    with served.plug() as plug:
        plug.sendall(head("Idempotency-Key: b", f"Content-Length: {len(body)}") + body[:-20])
        until(lambda: sum(served.desk.commits) == 49)
    again = batch(served, body, Idempotency_Key="b")
    assert [answer["status"] for answer in again] == [200] * 49 + [201]


def test_a_line_cut_where_it_would_be_whole_json_is_not_accepted(served: Served) -> None:
    line = json.dumps(JOB).encode()
    with served.plug() as plug:
        plug.sendall(head("Idempotency-Key: b", "Content-Length: 100000") + line + b"\n" + line)
        until(lambda: served.desk.commits)
    served.ask("GET", "/healthz")
    assert sum(served.desk.commits) == 1


def test_the_last_line_needs_no_newline(served: Served) -> None:
    assert batch(served, json.dumps(JOB).encode(), Idempotency_Key="b")[0]["status"] == 201


def test_a_line_is_answered_before_the_next_is_sent(served: Served) -> None:
    with served.plug() as plug:
        plug.sendall(head("Idempotency-Key: b", "Transfer-Encoding: chunked") + chunk(ndjson(JOB)))
        first = answers_so_far(plug, 1)
        plug.sendall(chunk(ndjson(JOB)) + b"0\r\n\r\n")
        data = plug.recv(65536)
    assert first[0]["line"] == 1
    assert b'"line":2' in data


def test_a_line_that_is_too_long_is_refused_and_skipped(tmp_path: Path) -> None:
    long = ndjson({**JOB, "variables": {"X": "x" * 5000}})
    with Served(tmp_path / "s", max_body=1000) as served:
        answers = batch(served, ndjson(JOB) + long * 3 + ndjson(JOB), Idempotency_Key="b")
    assert [answer["status"] for answer in answers] == [201, 413, 413, 413, 201]


def test_an_endless_line_is_not_kept_in_memory_and_its_connection_is_closed(tmp_path: Path) -> None:
    with Served(tmp_path / "s", max_body=1000, read_timeout=0.3) as served, served.plug() as plug:
        plug.sendall(head("Idempotency-Key: b", "Transfer-Encoding: chunked") + chunk(b"x" * 100_000))
        data = read_all(plug)
    assert b'"status":408' in data


def test_at_a_bound_each_line_is_told_when_to_ask_again(served: Served) -> None:
    served.desk.refuse = Overloaded("The queue is full.", 7)
    answers = batch(served, ndjson(JOB, {"to": 1}), Idempotency_Key="b")
    assert [(answer["status"], answer.get("retry_after")) for answer in answers] == [(503, 7), (422, None)]


def test_a_client_that_does_not_read_stops_being_read_and_is_closed(tmp_path: Path) -> None:
    with Served(tmp_path / "s", write_timeout=0.5) as served, served.plug(2.0) as plug:
        plug.sendall(head("Idempotency-Key: b", "Transfer-Encoding: chunked"))
        with pytest.raises((ConnectionError, TimeoutError)):
            flood(plug, chunk(b"{\n" * 1000), 2_000_000)


def test_a_half_sent_batch_ends_with_a_problem(tmp_path: Path) -> None:
    with Served(tmp_path / "s", read_timeout=0.3) as served, served.plug() as plug:
        plug.sendall(head("Idempotency-Key: b", "Content-Length: 5000") + ndjson(JOB) + b'{"to"')
        data = read_all(plug)
    assert data.count(b'"status":201') == 1
    assert b'"status":408' in data


def test_a_conflict_is_told_on_its_line(served: Served) -> None:
    answers = batch(served, ndjson({**JOB, "key": "k"}, {**JOB, "key": "k", "play": "other"}))
    assert [answer["status"] for answer in answers] == [201, 409]
