"""GET /v1/events: server-sent events that can be taken up again anywhere."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.model import Disposition
from dialerd.core.states import State
from tests.intake.serving import JOB, Served
from tests.waiting import until


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s", keep_alive=0.1, event_page=10) as running:
        yield running


def submit(served: Served, count: int = 1, **fields: Any) -> list[str]:
    return [served.ask("POST", "/v1/jobs", {**JOB, **fields}).json["id"] for _ in range(count)]


def parsed(data: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in data.splitlines() if line.startswith(b"data: ")]


def present(served: Served, query: str = "", **headers: str) -> list[Any]:
    answer = served.ask("GET", f"/v1/events?follow=0{query}", **headers)
    assert (answer.status, answer.type) == (200, "text/event-stream")
    return parsed(answer.data)


def follow(served: Served, query: str = "", header: str = "") -> socket.socket:
    plug = served.plug()
    plug.sendall(f"GET /v1/events{query} HTTP/1.1\r\nHost: d\r\n{header}\r\n".encode())
    until(lambda: served.desk.subscribers)
    return plug


def read_until(plug: socket.socket, what: bytes) -> bytes:
    data = b""
    while what not in data:
        data += plug.recv(65536)
    return data


def test_without_following_everything_up_to_the_newest_is_told(served: Served) -> None:
    ids = submit(served, 25)
    events = present(served)
    assert [event["id"] for event in events] == list(range(1, 26))
    assert [event["job"] for event in events] == ids
    assert {event["type"] for event in events} == {"accepted"}


def test_a_stream_is_taken_up_behind_the_last_event(served: Served) -> None:
    submit(served, 5)
    assert [event["id"] for event in present(served, "&after=3")] == [4, 5]
    assert [event["id"] for event in present(served, "&after=3", Last_Event_ID="4")] == [5]


def test_events_are_filtered(served: Served) -> None:
    (one,) = submit(served, batch="spring")
    submit(served)
    served.desk.end(one, Disposition.ANSWERED)
    assert [event["type"] for event in present(served, f"&job={one}")] == [
        "accepted",
        "submitted",
        "attempt_ended",
        "completed",
    ]
    assert {event["job"] for event in present(served, "&batch=spring")} == {one}
    assert [event["id"] for event in present(served, "&type=completed,submitted")] == [3, 5]


def test_new_events_are_told_as_they_happen(served: Served) -> None:
    submit(served)
    with follow(served) as plug:
        head = read_until(plug, b"\n\n")
        (job_id,) = submit(served)
        data = read_until(plug, b"event: accepted")
        served.desk.put(job_id, State.HELD, "why")
        data += read_until(plug, b"event: held")
    assert b"id: 1\n" in head
    assert parsed(data)[0]["id"] == 2


def test_a_quiet_stream_says_that_it_lives_and_how_far_it_is(served: Served) -> None:
    with follow(served, "?type=completed") as plug:
        submit(served, 3)
        data = read_until(plug, b"id: 3\n")
    assert b": still here" in data
    assert b"event:" not in data


def test_a_reader_that_went_away_is_forgotten(served: Served) -> None:
    follow(served).close()
    until(lambda: not served.desk.subscribers)
    assert served.ask("GET", "/healthz").status == 200


def test_a_slow_reader_holds_nobody_up_and_misses_nothing(served: Served) -> None:
    with follow(served, "?after=0") as plug:
        for _ in range(3):
            served.ask("POST", "/v1/jobs", {**JOB, "to": [f"+4930123{number:05}" for number in range(999)]})
        data = read_until(plug, b"\nid: 2997\n")
        data += read_until(plug, b"\n\n")
    assert [event["id"] for event in parsed(data)] == list(range(1, 2998))


def test_a_reader_that_never_reads_is_closed(tmp_path: Path) -> None:
    with Served(tmp_path / "s", write_timeout=0.3) as served, follow(served, "?after=0"):
        for _ in range(6):
            served.ask("POST", "/v1/jobs", {**JOB, "to": [f"+4930123{number:05}" for number in range(999)]})
        gone = until(lambda: not served.desk.subscribers)
    assert gone


def test_stopping_ends_the_streams(tmp_path: Path) -> None:
    with Served(tmp_path / "s") as served:
        with follow(served) as plug:
            served.api.stop(5.0)
            end = plug.recv(65536), plug.recv(65536)
        assert end[1] in (b"", b"0\r\n\r\n")
        assert not served.desk.subscribers


@pytest.mark.parametrize("query", ["?after=-1", "?after=x", "?follow=2", "?typ=held"])
def test_a_wrong_parameter_is_refused(served: Served, query: str) -> None:
    assert served.ask("GET", f"/v1/events{query}").status == 422


def test_a_wrong_last_event_id_is_refused(served: Served) -> None:
    answer = served.ask("GET", "/v1/events", Last_Event_ID="yesterday")
    assert (answer.status, answer.json["mistakes"][0]["where"]) == (422, "header.Last-Event-ID")
