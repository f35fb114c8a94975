"""The metrics at the listener: shown to the networks that are named, and to nobody else."""

import http.client
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_network

import pytest

from dialerd.core.inbound import ListenerSettings
from dialerd.intake.listener import Listener
from dialerd.intake.listener.doors import may_read

NOTHING = (404, "There is nothing here.\n")
SETTINGS = ListenerSettings("https://pbx.example.com/dialerd", port=0)
HERE, PROXY = (ip_network("127.0.0.0/8"),), (ip_network("10.0.0.1"),)
Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def listening() -> Iterator[Callable[[ListenerSettings], Ask]]:
    """Starts a listener with metrics, and gives what asks it."""
    begun: list[Listener] = []

    def start(settings: ListenerSettings) -> Ask:
        listener = Listener(settings, dict, lambda told: None, lambda: b"dialerd_problems 0\n")  # type: ignore[arg-type,return-value]
        listener.start()
        begun.append(listener)
        return lambda path="/metrics", **headers: ask(listener.port, path, headers)

    yield start
    for listener in begun:
        listener.stop()


def ask(port: int, path: str, headers: dict[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(
        "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


def test_by_default_there_is_nothing(listening: Callable[[ListenerSettings], Ask]) -> None:
    ask = listening(SETTINGS)

    assert ask() == NOTHING


def test_this_machine_reads_them_where_it_may(listening: Callable[[ListenerSettings], Ask]) -> None:
    ask = listening(replace(SETTINGS, metrics=HERE))

    assert ask() == (200, "dialerd_problems 0\n")
    assert ask("/dialerd/metrics") == NOTHING
    assert ask("/metrics/") == NOTHING


def test_another_network_does_not(listening: Callable[[ListenerSettings], Ask]) -> None:
    ask = listening(replace(SETTINGS, metrics=PROXY))

    assert ask() == NOTHING


def test_what_somebody_passed_on_is_judged_by_whom_it_comes_from(
    listening: Callable[[ListenerSettings], Ask],
) -> None:
    ask = listening(replace(SETTINGS, metrics=HERE, proxies=HERE))

    assert ask(X_Forwarded_For="192.0.2.7") == NOTHING
    assert ask(X_Forwarded_For="127.0.0.1, 192.0.2.7") == NOTHING
    assert ask(X_Forwarded_For="192.0.2.7, 127.0.0.1") == NOTHING
    assert ask()[0] == 200


@pytest.mark.parametrize("name", ["Forwarded", "Via", "X_Real_IP"])
def test_what_a_proxy_passed_on_without_telling_for_whom_is_a_strangers(
    listening: Callable[[ListenerSettings], Ask], name: str
) -> None:
    ask = listening(replace(SETTINGS, metrics=HERE, proxies=HERE))

    assert ask(**{name: "127.0.0.1"}) == NOTHING


@pytest.mark.parametrize(
    ("peer", "forwarded", "may"),
    [
        ("127.0.0.1", [], True),
        ("::ffff:127.0.0.1", [], True),
        ("10.0.0.1", [], False),
        ("10.0.0.1", ["127.0.0.1"], True),
        ("10.0.0.1", ["192.0.2.7"], False),
        ("127.0.0.1", ["127.0.0.1"], False),
        (None, [], False),
    ],
)
def test_nobody_is_believed_whom_we_do_not_know_as_a_proxy(
    peer: str | None, forwarded: list[str], may: bool
) -> None:
    settings = replace(SETTINGS, metrics=HERE, proxies=PROXY)

    assert may_read(peer, forwarded, settings) is may
