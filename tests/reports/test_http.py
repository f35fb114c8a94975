import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dialerd.reports.http import Post
from dialerd.reports.ports import Undelivered
from tests.reports.receiver import (
    Authority,
    drips,
    floods,
    hangs,
    hangs_up,
    receiving,
    redirects,
)

PUBLIC = "93.184.215.14"


@dataclass
class Net:
    """A network whose every public address is a server here. `names` are the answers of its name server, one
    after the other."""

    port: int
    names: list[Sequence[str]] = field(default_factory=lambda: [[PUBLIC]])
    asked: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.names.pop(0)

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        self.connected.append(address)
        return socket.create_connection(("127.0.0.1", self.port), seconds)

    def post(self) -> Post:
        return Post(self.resolve, self.connect)


def refusal(url: str, post: Post | None = None, seconds: float = 5, private: bool = True) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        (post or Post()).send(url, {}, b"{}", seconds=seconds, private=private)
    return caught.value


def test_a_report_is_posted_as_json_on_a_connection_of_its_own() -> None:
    with receiving() as receiver:
        for number in (b"1", b"2"):
            Post().send(receiver.url, {"webhook-id": "evt_1"}, number, seconds=5, private=True)

        assert [(each.path, each.body) for each in receiver.received] == [("/hook", b"1"), ("/hook", b"2")]
        assert receiver.received[0].headers["content-type"] == "application/json"
        assert receiver.received[0].headers["webhook-id"] == "evt_1"
        assert len(receiver.connections) == 2


@pytest.mark.parametrize("status", [200, 201, 204])
def test_every_2xx_is_delivered(status: int) -> None:
    with receiving(otherwise=status) as receiver:
        Post().send(receiver.url, {}, b"{}", seconds=5, private=True)

        assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("status", "wide", "final"),
    [(400, False, False), (404, True, False), (410, True, True), (429, True, False), (500, True, False)],
)
def test_every_other_answer_is_a_failure_with_its_status(status: int, wide: bool, final: bool) -> None:
    with receiving(otherwise=status) as receiver:
        refused = refusal(receiver.url)

    assert str(status) in str(refused)
    assert (refused.wide, refused.final) == (wide, final)


def test_a_redirect_is_not_followed() -> None:
    with receiving() as elsewhere, receiving(otherwise=redirects(elsewhere.url)) as receiver:
        refused = refusal(receiver.url)

        assert "redirect" in str(refused)
        assert elsewhere.connections == []


def test_a_receiver_that_says_nothing_is_left_in_time() -> None:
    with receiving(otherwise=hangs) as receiver:
        refused = refusal(receiver.url, seconds=0.5)

    assert "0.5 seconds" in str(refused)


def test_a_receiver_that_drips_is_left_in_time() -> None:
    with receiving(otherwise=drips) as receiver:
        begun = time.monotonic()
        refused = refusal(receiver.url, seconds=0.5)
        took = time.monotonic() - begun

    assert "did not answer within 0.5 seconds" in str(refused)
    assert took < 15


def test_of_an_endless_answer_only_the_head_is_read() -> None:
    with receiving(otherwise=floods) as receiver:
        begun = time.monotonic()
        Post().send(receiver.url, {}, b"{}", seconds=60, private=True)

        assert time.monotonic() - begun < 30


def test_a_receiver_that_hangs_up_is_a_failure() -> None:
    with receiving(otherwise=hangs_up) as receiver:
        assert "closed the connection" in str(refusal(receiver.url))


def test_a_closed_port_is_a_failure_that_keeps_the_query_secret() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    refused = refusal(f"http://127.0.0.1:{port}/hook?token=s3cret")

    assert "refused" in str(refused)
    assert "s3cret" not in str(refused)


def test_a_name_that_is_not_found_is_a_failure() -> None:
    def nowhere(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert "hooks.example.com can't be found" in str(
        refusal("https://hooks.example.com/", Post(resolve=nowhere), private=False)
    )


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_loopback_is_refused_however_it_is_written(host: str) -> None:
    with receiving() as receiver:
        refused = refusal(f"http://{host}:{receiver.port}/", private=False)

        assert "not on the public internet" in str(refused)
        assert receiver.connections == []


def test_a_name_with_one_private_address_among_public_ones_is_refused() -> None:
    net = Net(0, [[PUBLIC, "192.168.1.5"]])

    refused = refusal("https://hooks.example.com/", net.post(), private=False)

    assert "192.168.1.5" in str(refused)
    assert net.connected == []


def test_the_address_that_was_tested_is_the_one_connected_to() -> None:
    with receiving() as receiver:
        net = Net(receiver.port, [[PUBLIC], ["127.0.0.1"]])
        net.post().send("http://rebinding.example.com/", {}, b"{}", seconds=5)

        assert net.connected == [PUBLIC]
        assert net.asked == ["rebinding.example.com"]
        assert receiver.received[0].headers["host"] == "rebinding.example.com"


def test_the_second_address_is_tried_where_the_first_does_not_answer() -> None:
    with receiving() as receiver:
        net = Net(receiver.port, [["93.184.215.1", PUBLIC]])

        def connect(address: str, port: int, seconds: float) -> socket.socket:
            if address != PUBLIC:
                raise TimeoutError("timed out")
            return net.connect(address, port, seconds)

        Post(net.resolve, connect).send("http://hooks.example.com/", {}, b"{}", seconds=5)

        assert len(receiver.received) == 1


def test_tls_is_checked_against_the_name_and_not_the_address(authority: Authority) -> None:
    with receiving(authority.serve("hooks.example.com")) as receiver:
        net = Net(receiver.port)
        net.post().send("https://hooks.example.com/x", {}, b"{}", seconds=5, ca_file=authority.certificate)

        assert receiver.received[0].path == "/x"


def test_a_certificate_of_another_name_is_refused_before_anything_is_sent(authority: Authority) -> None:
    with receiving(authority.serve("other.example.com")) as receiver:
        net = Net(receiver.port)
        with pytest.raises(Undelivered, match="certificate that is not right"):
            net.post().send(
                "https://hooks.example.com/x", {}, b"{}", seconds=5, ca_file=authority.certificate
            )

        assert receiver.received == []


def test_a_certificate_of_an_unknown_authority_is_refused(authority: Authority) -> None:
    with receiving(authority.serve("hooks.example.com")) as receiver:
        refused = refusal("https://hooks.example.com/", Net(receiver.port).post(), private=False)

        assert "certificate that is not right" in str(refused)
        assert receiver.received == []


def test_a_certificate_is_checked_each_time(authority: Authority) -> None:
    with receiving(authority.serve("hooks.example.com")) as receiver:
        net = Net(receiver.port, [[PUBLIC]] * 3)
        post = net.post()
        trusted = {"seconds": 5.0, "ca_file": authority.certificate}
        post.send("https://hooks.example.com/", {}, b"{}", **trusted)  # type: ignore[arg-type]
        with pytest.raises(Undelivered, match="certificate that is not right"):
            post.send("https://other.example.com/", {}, b"{}", **trusted)  # type: ignore[arg-type]
        with pytest.raises(Undelivered, match="certificate that is not right"):
            post.send("https://hooks.example.com/", {}, b"{}", seconds=5)

        assert len(receiver.received) == 1


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_authorities_that_can_not_be_read_are_told(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)

    with pytest.raises(Undelivered, match=r"authorities in .* can't be read"):
        Post().send("https://127.0.0.1:9/", {}, b"{}", seconds=5, private=True, ca_file=path)


def test_a_server_without_tls_is_left_in_time(authority: Authority) -> None:
    with receiving(otherwise=hangs) as receiver:
        refused = refusal(f"https://127.0.0.1:{receiver.port}/", seconds=1)

    assert refused.wide


def test_proxies_and_passwords_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with receiving() as receiver:
        Post().send(receiver.url, {}, b"{}", seconds=5, private=True)

        assert len(receiver.received) == 1
