"""The listener over real sockets: what it takes, from whom, and when it answers."""

import http.client
import socket
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from dialerd.core.callbacks import Answer, Callback, Unreadable
from dialerd.core.errors import ConfigError, Overloaded
from dialerd.core.inbound import ListenerSettings
from dialerd.core.receipts import Receipt
from dialerd.core.signals import ProviderTold
from dialerd.intake.listener import Door, Forged, Listener, Opened

TOKEN = "0123456789abcdef0123456789abcdef"
PATH = f"/dialerd/exo/{TOKEN}"
SETTINGS = ListenerSettings("https://pbx.example.com/dialerd", port=0)


class World:
    """A listener with one door, and what came through it."""

    def __init__(self) -> None:
        self.callbacks: list[Callback] = []
        self.told: list[ProviderTold] = []
        self.error: Exception | None = None
        self.opens: Callable[[Callback], Opened] = lambda callback: Opened([Receipt(ref="R1")], Answer())
        self.door = Door("exo", TOKEN, self.open)
        self.listener = Listener(SETTINGS, lambda: {"exo": self.door}, self.tell)

    def open(self, callback: Callback) -> Opened:
        self.callbacks.append(callback)
        return self.opens(callback)

    def tell(self, told: ProviderTold) -> "Future[None]":
        future: Future[None] = Future()
        if self.error is not None:
            future.set_exception(self.error)
        else:
            self.told.append(told)
            future.set_result(None)
        return future

    def ask(self, method: str = "POST", path: str = PATH, body: Any = b"", **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.listener.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        read = answer.status, answer.read().decode()
        connection.close()
        return read


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    world.listener.start()
    yield world
    world.listener.stop()


FORM = {"Content_Type": "application/x-www-form-urlencoded"}


def test_what_a_provider_tells_is_handed_on_with_query_and_form(world):
    status, _ = world.ask(path=f"{PATH}?ref=j.1", body="SmsSid=S1&Status=sent", **FORM)

    (callback,) = world.callbacks
    assert (status, world.told) == (200, [ProviderTold("exo", Receipt(ref="R1"))])
    assert callback.fields() == {"ref": "j.1", "SmsSid": "S1", "Status": "sent"}
    assert callback.url == f"https://pbx.example.com/dialerd/exo/{TOKEN}?ref=j.1"


def test_a_provider_is_answered_in_the_way_it_wants(world):
    world.opens = lambda callback: Opened([], Answer(200, 'say en "Hello"', "text/plain"))

    assert world.ask("GET") == (200, 'say en "Hello"')


def test_a_signed_callback_is_told_as_sure(world):
    world.opens = lambda callback: Opened([Receipt(ref="R1")], Answer(), surely=True)

    world.ask()

    assert world.told[0].surely


@pytest.mark.parametrize("path", ["/", "/exo/wrong", f"/two/{TOKEN}", "/dialerd/exo"])
def test_a_stranger_learns_nothing(world, path):
    assert world.ask(path=path) == (404, "There is nothing here.\n")


def test_a_forged_signature_is_refused(world):
    def forged(callback):
        raise Forged

    world.opens = forged

    assert (world.ask()[0], world.told) == (403, [])


def test_what_cant_be_read_is_refused(world):
    def unreadable(callback):
        raise Unreadable("no id")

    world.opens = unreadable

    assert (world.ask()[0], world.told) == (400, [])


def test_what_cant_be_kept_is_to_be_sent_again(world):
    world.error = Overloaded("The disk is full.", 5)

    assert world.ask()[0] == 503


def test_a_body_beyond_the_bound_is_refused_unread(world):
    world.listener.settings = replace(SETTINGS, max_body=1000)

    assert (world.ask(body=b"x" * 1001)[0], world.callbacks) == (400, [])


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(world, method):
    assert world.ask(method)[0] == 405


def test_a_source_that_is_not_configured_is_turned_away(world):
    world.door = replace(world.door, sources=(ip_network("13.0.0.0/8"),))

    assert world.ask()[0] == 404


def test_a_configured_source_behind_our_proxy_is_let_in(world):
    world.door = replace(world.door, sources=(ip_network("13.0.0.0/8"),))
    world.listener.settings = replace(SETTINGS, proxies=(ip_network("127.0.0.1"),))

    assert world.ask(X_Forwarded_For="13.1.2.3")[0] == 200


def test_a_forged_source_is_turned_away_where_no_proxy_is_configured(world):
    world.door = replace(world.door, sources=(ip_network("13.0.0.0/8"),))

    assert world.ask(X_Forwarded_For="13.1.2.3")[0] == 404


def test_it_serves_at_a_unix_socket(tmp_path):
    world, path = World(), tmp_path / "l.sock"
    world.listener = Listener(replace(SETTINGS, path=path), lambda: {"exo": world.door}, world.tell)
    world.listener.start()
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(path))
        line.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = line.recv(1000)
    world.listener.stop()

    assert answer.startswith(b"HTTP/1.1 200")
    assert not path.exists()


def test_a_port_that_is_taken_is_said_at_the_start(world):
    again = Listener(replace(SETTINGS, port=world.listener.port), dict, world.tell)

    with pytest.raises(ConfigError, match="in use"):
        again.start()


def test_a_compressed_body_is_not_unpacked(world):
    body = zlib.compress(b"a=1&" * 1000)

    status, _ = world.ask(body=body, Content_Encoding="deflate", **FORM)

    assert (status, world.callbacks[0].body) == (200, body)


@pytest.mark.parametrize("more", [b"?ref=\xff", b"/[", b""])
def test_a_request_that_cant_be_read_leaves_no_token_in_the_log(world, caplog, capfd, more):
    with socket.create_connection(("127.0.0.1", world.listener.port), timeout=20) as stranger:
        stranger.sendall(b"GET " + PATH.encode() + more + b" HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n")
        answer = stranger.recv(1000)

    out = capfd.readouterr()
    assert answer.startswith(b"HTTP/1.0 400")
    assert TOKEN not in caplog.text + out.out + out.err


def test_what_is_not_of_the_right_form_is_told_without_what_it_holds(world, caplog, capfd):
    def breaks(callback: Callback) -> Opened:
        raise TypeError(callback.url)

    world.opens = breaks
    status, _ = world.ask()

    out = capfd.readouterr()
    assert status == 400
    assert TOKEN not in caplog.text + out.out + out.err
