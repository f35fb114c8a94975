"""The client for Python programs, before a real Api on a real socket."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dialerd.client import (
    Client,
    KeyConflict,
    NoPermission,
    NoSuchJob,
    NotAllowed,
    Refused,
    TryLater,
    Unreachable,
    WaitTimeout,
)
from dialerd.client.errors import explain
from dialerd.core.errors import Overloaded
from dialerd.core.model import Disposition
from dialerd.core.states import State
from tests.intake.serving import JOB, Served
from tests.waiting import until


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s", keep_alive=0.1) as running:
        yield running


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with Client(served.path) as connected:
        yield connected


@contextmanager
def cutting(served: Served, path: Path, cut: Callable[[int], int | None]) -> Iterator[Path]:
    """A socket before the Api's that cuts its Nth connection's answer after `cut(N)` bytes (-1: 0)."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(50)

    def pump(source: socket.socket, sink: socket.socket, left: int | None) -> None:
        try:
            while left != 0 and (data := source.recv(65536)):
                data = data if left is None else data[: max(left, 0)]
                sink.sendall(data)
                left = None if left is None else max(left, 0) - len(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def accept() -> None:
        number = 0
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = served.plug()
            threads = [
                threading.Thread(target=pump, args=(near, far, None)),
                threading.Thread(target=pump, args=(far, near, cut(number))),
            ]
            for thread in threads:
                thread.start()
            number += 1
            closing.append((threads, near, far))

    closing: list[tuple[list[threading.Thread], socket.socket, socket.socket]] = []
    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield path
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for threads, near, far in closing:
            for thread in threads:
                thread.join(5)
            near.close()
            far.close()


def test_a_job_is_submitted_and_read(client: Client) -> None:
    submitted = client.submit(to="+493012345678", play="hello-world", tags=["a"])
    assert not submitted.repeated
    assert client.job(submitted.id)["tags"] == ["a"]
    assert len(submitted.job["key"]) == 32


def test_several_numbers_come_back_as_several_jobs(client: Client) -> None:
    submitted = client.submit(to=["+493012345678", "+493012345679"], play="hello-world", key="k")
    assert [job["key"] for job in submitted.jobs] == ["k/1", "k/2"]
    assert submitted.batch == "k"


def test_an_aware_datetime_is_a_time(client: Client) -> None:
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    job = client.submit(to="+493012345678", play="hello-world", not_before=later).job
    assert datetime.fromisoformat(job["not_before"]) == later


def test_a_repeated_key_returns_the_same_job(client: Client) -> None:
    first = client.submit(to="+493012345678", play="hello-world", key="k")
    again = client.submit(to="+493012345678", play="hello-world", key="k")
    assert (again.repeated, again.id) == (True, first.id)


def test_mistakes_are_all_in_the_error(client: Client) -> None:
    with pytest.raises(Refused) as caught:
        client.submit(to="nobody", play="a\nb")
    assert {mistake["where"] for mistake in caught.value.mistakes} == {"to", "play"}


def test_a_used_key_is_a_conflict(client: Client) -> None:
    client.submit(to="+493012345678", play="hello-world", key="k")
    with pytest.raises(KeyConflict, match="k"):
        client.submit(to="+493012345678", play="goodbye", key="k")


def test_at_a_bound_the_error_says_when_to_ask_again(served: Served, client: Client) -> None:
    served.desk.refuse = Overloaded("The queue is full.", 60)
    with pytest.raises(TryLater) as caught:
        client.submit(to="+493012345678", play="hello-world")
    assert caught.value.retry_after == 60


def test_many_documents_are_answered_in_order(served: Served, client: Client) -> None:
    documents = ({**JOB, "tags": [f"t{number}"]} if number != 700 else {"to": 1} for number in range(1, 1201))
    answers = list(client.submit_many(documents, batch="spring"))
    assert [answer["line"] for answer in answers] == list(range(1, 1201))
    assert [answer["line"] for answer in answers if answer["status"] == 422] == [700]
    assert sum(served.desk.commits) == 1199
    assert {job["batch"] for job in client.jobs()} == {"spring"}


def test_many_documents_under_one_key_may_be_submitted_again(served: Served, client: Client) -> None:
    first = list(client.submit_many([JOB] * 3, key="k"))
    again = list(client.submit_many([JOB] * 3, key="k"))
    assert [answer["status"] for answer in again] == [200] * 3
    assert [answer["jobs"] for answer in again] == [answer["jobs"] for answer in first]


def test_documents_refused_at_a_bound_are_sent_again(served: Served, client: Client) -> None:
    served.desk.refuse, served.desk.refuse_again = Overloaded("The inbox is full.", 1), 1
    answers = list(client.submit_many([JOB] * 600))
    assert {answer["status"] for answer in answers} == {201}
    assert sum(served.desk.commits) == 600


def test_patience_ends(served: Served) -> None:
    served.desk.refuse = Overloaded("The queue is full.", 1)
    with Client(served.path, patience=0.1) as client:
        answers = list(client.submit_many([JOB, JOB]))
    assert [(answer["line"], answer["status"]) for answer in answers] == [(1, 503), (2, 503)]


def test_large_groups_with_large_answers_do_not_lock_up(client: Client) -> None:
    bad = {"to": "x" * 900, **{f"unknown{number}": 1 for number in range(20)}}
    answers = list(client.submit_many([bad] * 1000))
    assert {answer["status"] for answer in answers} == {422}


@pytest.mark.parametrize("bytes_passed", [0, 10, 200])
def test_a_submit_whose_answer_is_lost_is_repeated_with_its_key(
    served: Served, tmp_path: Path, bytes_passed: int
) -> None:
    with (
        cutting(served, tmp_path / "c", lambda n: bytes_passed or -1 if n == 0 else None) as path,
        Client(path) as client,
    ):
        submitted = client.submit(to="+493012345678", play="hello-world")
        jobs = list(client.jobs())
    assert [job["id"] for job in jobs] == [submitted.id]


def test_a_batch_whose_answers_are_cut_is_repeated_and_accepts_nothing_twice(
    served: Served, tmp_path: Path
) -> None:
    with cutting(served, tmp_path / "c", lambda n: 5000 if n < 2 else None) as path, Client(path) as client:
        answers = list(client.submit_many([JOB] * 900))
    assert [answer["line"] for answer in answers] == list(range(1, 901))
    assert len({answer["jobs"][0]["id"] for answer in answers}) == 900
    assert served.desk.last_event() == 900


def test_a_connection_that_went_stale_is_opened_anew(tmp_path: Path) -> None:
    with Served(tmp_path / "s", idle_timeout=0.1) as served, Client(served.path) as client:
        first = client.status()
        until(lambda: _closed(client))
        second = client.status()
    assert first["version"] == second["version"]


def _closed(client: Client) -> bool:
    kept = client._wire._socket
    assert kept is not None
    try:
        return kept.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def test_an_operators_verb_is_not_repeated_when_its_answer_is_lost(served: Served, tmp_path: Path) -> None:
    job_id = served.ask("POST", "/v1/jobs", JOB).json["id"]
    served.desk.put(job_id, State.FAILED)
    with (
        cutting(served, tmp_path / "c", lambda n: -1) as path,
        Client(path) as client,
        pytest.raises(Unreachable),
    ):
        client.requeue(job_id)
    types = [event.type for event in served.desk.log]
    assert types.count("queued") == 1


def test_jobs_come_page_by_page(served: Served, client: Client) -> None:
    list(client.submit_many([{**JOB, "tags": ["x"]}] * 1100))
    assert len(list(client.jobs(tag="x"))) == 1100
    assert len(list(client.jobs(limit=7))) == 7
    assert list(client.jobs(state=["held", "failed"])) == []


def test_verbs_return_the_job(served: Served, client: Client) -> None:
    job_id = client.submit(**JOB).id
    assert client.hold(job_id)["state"] == "held"
    assert client.release(job_id)["state"] == "queued"
    served.desk.put(job_id, State.HELD)
    assert client.resolve(job_id, "failed")["state"] == "failed"
    assert client.requeue(job_id)["state"] == "queued"
    assert client.cancel(job_id)["state"] == "cancelled"


def test_a_job_that_is_not_there_and_a_state_that_does_not_allow_it_are_errors(client: Client) -> None:
    with pytest.raises(NoSuchJob):
        client.job("../status")
    with pytest.raises(NotAllowed):
        client.release(client.submit(**JOB).id)


def test_waiting_returns_the_job_once_it_has_ended(served: Served, client: Client) -> None:
    job_id = client.submit(**JOB).id
    threading.Timer(0.2, served.desk.end, (job_id, Disposition.ANSWERED)).start()
    job = client.wait(job_id, timeout=10)
    assert (job["state"], job["attempts"][0]["disposition"]) == ("completed", "ANSWERED")


def test_waiting_ends_at_its_time_limit(client: Client) -> None:
    job_id = client.submit(**JOB).id
    with pytest.raises(WaitTimeout, match="is queued after"):
        client.wait(job_id, timeout=0.1)


def test_events_are_told_once_each_over_lost_connections(served: Served, tmp_path: Path) -> None:
    ids = [served.ask("POST", "/v1/jobs", JOB).json["id"] for _ in range(30)]
    with cutting(served, tmp_path / "c", lambda n: 1500) as path, Client(path) as client:
        events = client.events(after=0)
        seen = [next(events) for _ in range(30)]
        events.close()
    assert [event["job"] for event in seen] == ids


def test_events_can_end_at_the_newest(served: Served, client: Client) -> None:
    job_id = client.submit(**JOB).id
    served.desk.end(job_id, Disposition.BUSY)
    events = list(client.events(follow=False, job=job_id, types=["attempt_ended", "failed"]))
    assert [event["type"] for event in events] == ["attempt_ended", "failed"]


def test_events_from_now_on_hold_over_a_lost_connection(served: Served, tmp_path: Path) -> None:
    served.ask("POST", "/v1/jobs", JOB)
    with cutting(served, tmp_path / "c", lambda n: 300 if n == 0 else None) as path, Client(path) as client:
        events = client.events()
        got: list[Any] = []
        reading = threading.Thread(target=lambda: got.append(next(events)))
        reading.start()
        until(lambda: served.desk.subscribers)
        served.ask("POST", "/v1/jobs", JOB)
        reading.join(10)
        events.close()
    assert [event["id"] for event in got] == [2]


def test_a_daemon_that_does_not_run_is_named_with_how_to_start_it(tmp_path: Path) -> None:
    with Client(tmp_path / "s") as client, pytest.raises(Unreachable, match="systemctl start dialerd"):
        client.status()


def test_a_left_over_socket_is_no_daemon(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
    with Client(tmp_path / "s") as client, pytest.raises(Unreachable, match="does not run"):
        client.submit(**JOB)


def test_no_permission_names_the_group_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "s").touch()
    import grp

    group = grp.getgrgid((tmp_path / "s").stat().st_gid).gr_name
    error = explain(PermissionError(13, "Permission denied"), str(tmp_path / "s"))
    assert isinstance(error, NoPermission)
    assert f"the group {group}" in str(error)


def test_what_does_not_speak_http_is_told_of(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "s"))
        other.listen()
        answering = threading.Thread(target=_answer_nonsense, args=(other,))
        answering.start()
        with Client(tmp_path / "s", patience=0) as client, pytest.raises(Unreachable, match="not HTTP"):
            client.status()
        answering.join(5)


def _answer_nonsense(listener: socket.socket) -> None:
    for _ in range(1):
        near, _ = listener.accept()
        with near:
            near.recv(65536)
            near.sendall(b"220 mail ESMTP\r\n\r\n")


def test_the_socket_comes_from_the_environment(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALERD_SOCKET", str(served.path))
    with Client() as client:
        assert client.status()["version"] == "0"
    assert os.fspath(served.path) == client.socket_path
