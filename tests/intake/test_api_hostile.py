"""Slow, endless, oversized and many: nothing of it holds the server up or stays open."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.intake.serving import JOB, Served, ask, flood, read_all
from tests.waiting import until

POST = b"POST /v1/jobs HTTP/1.1\r\nHost: d\r\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s", header_timeout=0.3, read_timeout=0.3, idle_timeout=1.0) as running:
        yield running
        assert running.ask("POST", "/v1/jobs", JOB).status == 201  # whatever was done: the next one is served


def problem(data: bytes) -> tuple[int, str]:
    head, _, body = data.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    document = json.loads(body)
    assert int(head.split()[1]) == document["status"]
    return document["status"], document["type"].rpartition(":")[2]


def answer_to(served: Served, data: bytes) -> bytes:
    with served.plug() as plug:
        plug.sendall(data)
        return read_all(plug)


def test_a_half_sent_head_is_closed(served: Served) -> None:
    assert problem(answer_to(served, POST + b"X-Slow: ")) == (408, "too-slow")


def test_a_head_that_comes_byte_by_byte_is_closed(served: Served) -> None:
    with served.plug(0.02) as plug:
        plug.sendall(POST)
        data = b""

        def another_byte() -> bool:
            nonlocal data
            with suppress(ConnectionError):  # it is closed, and its last word lies here to be read
                plug.send(b"x")
            try:
                data = plug.recv(65536)
            except TimeoutError:
                return False
            return True

        until(another_byte)
    assert problem(data) == (408, "too-slow")


def test_a_half_sent_second_head_on_a_kept_connection_is_closed(served: Served) -> None:
    with served.connection() as connection:
        assert ask(connection, "GET", "/healthz").status == 200
        plug = connection.sock
        plug.sendall(b"GET /hea")
        assert problem(read_all(plug)) == (408, "too-slow")


def test_a_connection_that_asks_nothing_is_closed(served: Served) -> None:
    with served.plug() as plug:
        assert read_all(plug) == b""


def test_a_half_sent_body_is_closed(served: Served) -> None:
    assert problem(answer_to(served, POST + b'Content-Length: 100\r\n\r\n{"to"')) == (408, "too-slow")


def test_an_announced_body_that_is_too_large_is_refused_before_it_is_read(served: Served) -> None:
    assert problem(answer_to(served, POST + b"Content-Length: 2000000000\r\n\r\n")) == (413, "too-large")


def test_an_endless_body_is_cut_off(served: Served) -> None:
    with served.plug() as plug:
        plug.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(ConnectionError):
            flood(plug, b"10000\r\n" + b" " * 65536 + b"\r\n")
        assert problem(read_all(plug)) == (413, "too-large")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01 hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        POST + b"Content-Length: x\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        POST + b"Bad Header: 1\r\n\r\n",
        POST + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        POST + b"".join(b"X-%d: 1\r\n" % number for number in range(1000)) + b"\r\n",
    ],
)
def test_what_is_no_request_is_answered_with_a_problem_and_closed(served: Served, data: bytes) -> None:
    assert problem(answer_to(served, data)) == (400, "unreadable")


def test_a_body_that_breaks_its_framing_is_closed(served: Served) -> None:
    data = answer_to(served, POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n")
    assert data == b"" or problem(data)[0] == 400


def test_a_compressed_body_is_not_unpacked(served: Served) -> None:
    answer = served.ask("POST", "/v1/jobs", b"x", Content_Encoding="gzip")
    assert (answer.status, answer.json["type"]) == (415, "urn:dialerd:problem:unsupported-encoding")


def test_a_client_that_asks_first_is_told_to_go_on(served: Served) -> None:
    body = json.dumps(JOB).encode()
    with served.plug() as plug:
        plug.sendall(POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        first = plug.recv(65536)
        plug.sendall(body)
        second = plug.recv(65536)
    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert second.startswith(b"HTTP/1.1 201")


def test_a_client_that_does_not_read_its_answers_is_closed(served: Served) -> None:
    served.ask("POST", "/v1/jobs", {**JOB, "to": [f"+4930123{number:05}" for number in range(999)]})
    with served.plug(5.0) as plug:
        with pytest.raises((ConnectionError, TimeoutError)):
            flood(plug, b"GET /v1/jobs?limit=1000 HTTP/1.1\r\nHost: d\r\n\r\n" * 100)
        assert served.ask("GET", "/healthz").status == 200


def test_requests_sent_at_once_are_answered_in_order(served: Served) -> None:
    body = json.dumps(JOB).encode()
    post = POST + b"Content-Length: %d\r\n\r\n" % len(body) + body
    close = b"GET /healthz HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n"
    data = answer_to(served, post * 20 + close)
    assert data.count(b"HTTP/1.1 201") == 20
    assert data.endswith(b'{"status":"ok"}')


def test_many_clients_at_once_are_all_served(served: Served) -> None:
    def client(number: int) -> list[int]:
        with served.connection() as connection:
            return [
                ask(connection, "POST", "/v1/jobs", {**JOB, "key": f"{number}-{n}"}).status for n in range(10)
            ]

    with ThreadPoolExecutor(32) as pool:
        statuses = [status for found in pool.map(client, range(64)) for status in found]
    assert statuses == [201] * 640


def test_one_user_can_not_take_all_connections(tmp_path: Path) -> None:
    with Served(tmp_path / "s", max_connections_per_owner=3) as served:
        with ExitStack() as kept:
            for _ in range(3):
                kept.enter_context(served.plug())
            refused = served.ask("GET", "/healthz")
        assert (refused.status, refused.headers["Retry-After"]) == (429, "1")


def test_at_the_bound_of_connections_the_next_is_told_to_come_back(tmp_path: Path) -> None:
    with Served(tmp_path / "s", max_connections=2) as served:
        with ExitStack() as kept:
            for _ in range(2):
                kept.enter_context(served.plug())
            refused = served.ask("GET", "/healthz")
        assert (refused.status, refused.json["type"]) == (503, "urn:dialerd:problem:overloaded")


def test_far_beyond_the_bound_connections_are_just_closed(tmp_path: Path) -> None:
    with Served(tmp_path / "s", max_connections=2) as served, ExitStack() as kept:
        plugs: list[socket.socket] = [kept.enter_context(served.plug()) for _ in range(70)]
        assert read_all(plugs[-1]) == b""


@pytest.mark.parametrize("query", ["?" + "&".join(f"tag={n}" for n in range(200)), "?state=%ff"])
def test_parameters_that_are_too_many_or_no_text_are_unreadable(served: Served, query: str) -> None:
    assert served.ask("GET", f"/v1/jobs{query}").status == 400


def test_a_refused_connection_that_asks_nothing_is_closed_soon(tmp_path: Path) -> None:
    with (
        Served(tmp_path / "s", max_connections_per_owner=1) as served,
        served.plug(),
        served.plug() as refused,
    ):
        assert read_all(refused) == b""
