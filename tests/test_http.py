import socket
import threading
from time import monotonic

from dialerd.http import Limits, Manner, Network, Outgoing, resolve
from dialerd.http.deadlines import Deadlines
from tests.waiting import until


def test_a_name_is_resolved_to_each_of_its_addresses_once() -> None:
    found = resolve("localhost", 80)

    assert "127.0.0.1" in found
    assert len(found) == len(set(found))


def test_what_takes_too_long_is_ended_and_what_was_over_is_left_alone() -> None:
    deadlines, ended, late = Deadlines(), list[str](), threading.Event()
    with deadlines.until(monotonic() + 0.02, lambda: ended.append("over in time")):
        pass
    with deadlines.until(monotonic() + 0.2, late.set):
        came = late.wait(30)

    assert came
    assert ended == []


def test_the_first_end_does_not_wait_for_one_that_was_there_before() -> None:
    deadlines, first, other = Deadlines(), threading.Event(), threading.Event()
    with deadlines.until(monotonic() + 300, other.set), deadlines.until(monotonic() + 0.05, first.set):
        came = first.wait(30)

    assert came
    assert not other.is_set()


def test_the_thread_that_ends_things_is_gone_once_there_are_none_and_comes_again() -> None:
    before, deadlines, ended = set(threading.enumerate()), Deadlines(), threading.Event()
    with deadlines.until(monotonic() + 1, lambda: None):
        made = set(threading.enumerate()) - before
        until(lambda: not any(each.is_alive() for each in made), 30)
    with deadlines.until(monotonic() + 0.05, ended.set):
        came = ended.wait(30)

    assert [each.name for each in made] == ["deadlines"]
    assert came


def test_a_host_in_other_letters_is_named_in_its_own_form() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"HTTP/1.1 204 Such\r\n\r\n")
    network = Network(lambda host, port: ["192.0.2.1"], lambda *_: ours)

    answer = network.exchange(
        Outgoing("POST", "http://bücher.example/x", {}, b"Hi"), Manner(Limits(5, 5, 10))
    )

    with theirs:
        sent = theirs.makefile("rb").read()
    assert answer.status == 204
    assert b"\r\nHost: xn--bcher-kva.example\r\n" in sent
    assert sent.endswith(b"\r\n\r\nHi")
